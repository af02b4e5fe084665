"""``cluster``: a real Kafka and a real Elasticsearch on this machine."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.context import context_of
from deploy.cli.output import print_json, print_line

if TYPE_CHECKING:
    from deploy.cli.context import Context
    from deploy.cluster import Cluster
    from deploy.servers.jars import Progress

LOOK_SECONDS = 0.5
"""How long a server may be gone before we say so."""


def register(app: typer.Typer) -> None:
    """Add ``cluster``."""
    app.command("cluster")(cluster)


def cluster(
    ctx: typer.Context,
    servers: Annotated[
        Path | None,
        typer.Option("--servers", help="Folder of the servers' files; default the user's cache."),
    ] = None,
    kafka_port: Annotated[
        int, typer.Option("--kafka-port", min=0, max=65535, help="0 takes a free one.")
    ] = 0,
    elasticsearch_port: Annotated[
        int, typer.Option("--elasticsearch-port", min=0, max=65535, help="0 takes a free one.")
    ] = 0,
    demo: Annotated[
        bool, typer.Option("--demo", help="Run every stage on them, with the sample newsroom.")
    ] = False,
    load: Annotated[
        bool, typer.Option("--load", help="Only load the servers' files (90 MB), end.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object when both servers answer.")
    ] = False,
) -> None:
    """Run a real Kafka and a real Elasticsearch on this machine until stopped."""
    from deploy.cluster import Cluster, Ports, load_servers

    context = context_of(ctx)
    folder = context.folder(context.settings()).path / "cluster"
    ports = Ports(kafka=kafka_port, elasticsearch=elasticsearch_port)
    # SIGTERM unwinds as Ctrl-C does: the servers stop in order, also in the middle of a start.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _shown_progress() as progress:
        files = load_servers(servers, progress=progress)
    if load:
        return
    try:
        with Cluster.running(folder, files, ports=ports) as found:
            _announce(found, json=json)
            if demo:
                _demonstrate(found, context, folder, as_json=json)
                return
            while True:
                time.sleep(LOOK_SECONDS)
                found.check()
    except KeyboardInterrupt:
        return  # asked to end: done


def _demonstrate(found: Cluster, context: Context, folder: Path, *, as_json: bool) -> None:
    import asyncio

    from deploy.demo import demonstrate
    from deploy.events import log_to_stderr

    log_to_stderr("warning")
    asyncio.run(demonstrate(found, context, folder / "demo", as_json=as_json))


def _announce(found: Cluster, *, json: bool) -> None:
    from deploy.cluster import SETTINGS

    kafka, elasticsearch = found.kafka, found.elasticsearch
    if json:
        pids = {server.name: server.pid for server in (kafka, elasticsearch)}
        row = {"kafka": kafka.address, "elasticsearch": elasticsearch.url, "pids": pids}
        print_json([row])
        return
    for server in (kafka, elasticsearch):
        print_line(f"{server.title} answers (process {server.pid}, log {server.log})")
    print_line("")
    settings = SETTINGS.format(kafka=kafka.address, elasticsearch=elasticsearch.url)
    for line in settings.splitlines():
        print_line(line)
    print_line("")
    print_line("Ctrl-C stops both; their data stays.")


@contextmanager
def _shown_progress() -> Iterator[Progress]:
    """Bars on a terminal, else one line a server, on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    console = Console(file=sys.stderr)
    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("loading {task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def show(server: str, done: int, total: int) -> None:
            if server not in tasks:
                tasks[server] = bars.add_task(server, total=total)
                if not console.is_terminal:
                    sys.stderr.write(f"loading {server}: {total - done} files\n")
            bars.update(tasks[server], completed=done)

        yield show

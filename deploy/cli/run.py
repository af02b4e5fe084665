"""``run``: everything with one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.context import context_of
from deploy.cli.output import print_json, print_line
from ingest.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add ``run``."""
    app.command("run")(run)


def run(
    ctx: typer.Context,
    feeds: Annotated[
        list[str] | None, typer.Option("--feeds", help="A feed list to add first; repeatable.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="HOST:PORT", help="A private host to allow by name."),
    ] = None,
    topics: Annotated[
        Path | None, typer.Option("--topics", help="A folder of topic files beside the shipped.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="The sample newsroom, in a data folder of its own.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Poll every feed once, print the totals, end.")
    ] = False,
    host: Annotated[str | None, typer.Option("--host", help="Address of the API.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the API.")] = None,
    no_web: Annotated[
        bool, typer.Option("--no-web", help="No port; the CLI works all the same.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Poll, tag, group, index and alert, all in this one command."""
    from deploy.running import Wanted, run_forever, run_once
    from ingest.wire import as_json

    context = context_of(ctx)
    if context.settings().log.backend != "sqlite":
        raise UsageError(
            "run is for one machine",
            sentence="wirewatch run does everything in one process, on its own log and index.",
            hint="With Kafka and Elasticsearch start a process a stage: wirewatch stage --help",
            code="distributed",
        )
    allowed = [*context.settings().net.allow, *(allow or ())]
    overrides = [f"net.allow={','.join(allowed)}"] if allow else []
    overrides += [f"api.host={host}"] if host is not None else []
    overrides += [f"api.port={port}"] if port is not None else []
    overrides += [f"topics.folder={topics.absolute()}"] if topics is not None else []
    wanted = Wanted(
        context=context.with_overrides(*overrides),
        feeds=tuple(feeds or ()),
        sample=sample,
        web=not no_web,
        json=json,
    )
    if not once:
        run_forever(wanted)
        return
    totals = as_json(run_once(wanted))
    if json:
        print_json([totals])
        return
    for name, value in totals.items():
        print_line(f"{name:<12} {value}")

"""``stage``, ``serve`` and ``setup``: the distributed shell, a process each."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import typer

from deploy.cli.context import context_of
from deploy.cli.output import print_json, print_line
from deploy.starting import starting
from ingest.errors import UsageError

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def register(app: typer.Typer) -> None:
    """Add ``stage``, ``serve`` and ``setup``."""
    app.command("stage")(stage)
    app.command("serve")(serve)
    app.command("setup")(setup)


def stage(
    ctx: typer.Context,
    name: Annotated[
        Literal["poll", "tag", "group", "index", "alert"],
        typer.Argument(help="poll, tag, group, index or alert."),
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Alerts to stdout: as payloads, one a line.")
    ] = False,
) -> None:
    """Run one stage until stopped; start more of the same to share its work."""
    with starting():
        from deploy.events import log_to_stderr
        from deploy.stage import run_stage

    context = context_of(ctx)
    settings = context.settings()
    _need_kafka(settings.log.backend)
    log_to_stderr()
    raise typer.Exit(run_stage(name, settings, context.folder(settings), as_json=json))


def serve(ctx: typer.Context) -> None:
    """Serve the API of the distributed system until stopped."""
    with starting():
        from deploy.events import log_to_stderr
        from deploy.serve_stage import serve as answer

    context = context_of(ctx)
    settings = context.settings()
    _need_kafka(settings.log.backend)
    log_to_stderr()
    asyncio.run(answer(settings, context.folder(settings)))


def setup(ctx: typer.Context, json: JsonFlag = False) -> None:
    """Make Kafka's topics and Elasticsearch's templates; safe to run again at any time."""
    from ingest.kafka_opening import need_distributed

    settings = context_of(ctx).settings()
    _need_kafka(settings.log.backend)
    need_distributed()
    from deploy.setup import set_up

    for row in set_up(settings):
        if json:
            print_json([{"part": row.part, "sentence": row.sentence}])
        else:
            print_line(f"{row.part:<14} {row.sentence}")


def _need_kafka(backend: str) -> None:
    if backend != "kafka":
        raise UsageError(
            f'[log] backend is "{backend}"',
            sentence="This is for the distributed system; on one machine wirewatch run does all.",
            hint='Set [log] backend = "kafka" and [index] backend = "elasticsearch". '
            "To start both servers here and see the settings: wirewatch cluster",
            code="embedded",
        )

"""``reindex``, ``replay`` and ``doctor``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from deploy.cli.client import call, lines
from deploy.cli.context import Context, context_of
from deploy.cli.output import print_json, print_line
from ingest.errors import UsageError, WirewatchError

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
STAGES = ("tag", "group", "index")


def register(app: typer.Typer) -> None:
    """Add ``reindex``, ``replay`` and ``doctor``."""
    app.command("reindex")(reindex)
    app.command("replay")(replay)
    app.command("doctor")(doctor)


def reindex(ctx: typer.Context, json: JsonFlag = False) -> None:
    """Rebuild the index from the log into a new one, then switch to it."""
    last = follow(lines(context_of(ctx), "POST", "/local/reindex"), "indexing", json=json)
    if not json:
        print_line(f"{last.get('done', 0)} articles indexed anew")


def replay(
    ctx: typer.Context,
    since: Annotated[str, typer.Option("--from", help="From this time on: 2026-11-01, 24h.")],
    stage: Annotated[str, typer.Option("--stage", help="tag, group or index.")] = "tag",
    json: JsonFlag = False,
) -> None:
    """Run a stage again, for example after a topic change. Never alerts anybody."""
    if stage not in STAGES:
        raise UsageError(f"--stage {stage} is unknown", hint=f"Use {', '.join(STAGES)}.")
    body = {"from": since, "stage": stage}
    last = follow(
        lines(context_of(ctx), "POST", "/local/replay", body=body), "replaying", json=json
    )
    if not json:
        print_line(f"{last.get('done', 0)} records go through {stage} again")


def follow(rows: Iterator[Any], verb: str, *, json: bool) -> dict[str, Any]:
    """The last of progress rows ``{"done","total"}``, shown as a bar, or each as it is."""
    last: dict[str, Any] = {}
    if json:
        for last in rows:
            print_json([last])
        return last
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(verb), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(verb, total=None)
        for last in rows:
            progress.update(task, completed=last["done"], total=last["total"])
    return last


def doctor(ctx: typer.Context, json: JsonFlag = False) -> None:
    """Check every dependency, its version and state, and say what to do about each."""
    rows = _checks(context_of(ctx))
    if json:
        print_json(rows)
    else:
        for row in rows:
            print_line(
                f"{row['state']:<5} {row['name']:<12} {row['version']:<12} {row['sentence']}"
            )
            if row["remedy"]:
                print_line(f"      {row['remedy']}")
    if any(row["state"] == "fail" for row in rows):
        raise typer.Exit(1)


def _checks(context: Context) -> list[dict[str, Any]]:
    try:
        return list(call(context, "GET", "/local/doctor")["checks"])
    except WirewatchError:
        settings = context.settings()
        if settings.log.backend == "sqlite":
            raise
    from deploy.local import examined_apart

    return asyncio.run(examined_apart(settings, context.folder(settings)))

"""``backup`` and ``restore``: the data folder in one file, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import LOCK_WAIT_SECONDS, is_running, lines
from deploy.cli.context import Context, context_of
from deploy.cli.output import print_line
from deploy.cli.times import when
from deploy.cli.upkeep import follow

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def register(app: typer.Typer) -> None:
    """Add ``backup`` and ``restore``."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; what is there is replaced.")],
    secrets: Annotated[
        bool, typer.Option("--secrets", help="With passwords, tokens and signing secrets in clear.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Write the data folder into one file, also while Wirewatch runs."""
    rows = _backed_up(context_of(ctx), file.absolute(), secrets=secrets)
    last = follow(rows, "backing up", json=json)
    if json:
        return
    print_line(f"{last['file']}: {last['bytes'] / 1e6:,.1f} MB")
    if secrets:
        print_line(
            "It holds secrets in clear: keep it as private as a password (its mode is 0600)."
        )
    _say_lacks(last["lacks"], "Secrets are left out; after a restore these need theirs again:")


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file made by: wirewatch backup FILE")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Set aside the data that the folder holds now.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Make a data folder from a backup and build its index. Nothing may run on it."""
    rows = _restored(context_of(ctx), file.absolute(), replacing=replace)
    last = follow(rows, "indexing", json=json)
    if json:
        return
    print_line(f"Restored as of {when(last['made'])}; {last['total']:,} records indexed.")
    if last["aside"]:
        print_line(f"What was there before lies in {last['aside']}: delete it when you like.")
    _say_lacks(last["lacks"], "The backup has no secrets; these need theirs again:")


def _say_lacks(names: list[str], sentence: str) -> None:
    if names:
        print_line(sentence)
        for name in names:
            print_line(f"  {name}")


def _backed_up(context: Context, file: Path, *, secrets: bool) -> Iterator[Any]:
    # Imported here: the shells cost what other commands need not pay.
    from deploy.keeping import backed_up_at_rest, refuse_many_machines

    settings = context.settings()
    refuse_many_machines(settings)
    if is_running(context):
        body = {"file": str(file), "secrets": secrets}
        return lines(context, "POST", "/local/backup", body=body)
    folder = context.folder(settings)
    return backed_up_at_rest(folder, file, secrets=secrets, wait_seconds=LOCK_WAIT_SECONDS)


def _restored(context: Context, file: Path, *, replacing: bool) -> Iterator[Any]:
    from deploy.keeping import refuse_many_machines
    from deploy.restoring import restored

    settings = context.settings()
    refuse_many_machines(settings)
    rows = restored(settings, context.folder(settings), file, replacing=replacing)

    async def following() -> Any:
        return await anext(rows, None)

    with asyncio.Runner() as runner:
        try:
            while (row := runner.run(following())) is not None:
                yield row
        finally:
            runner.run(rows.aclose())

"""``export``: everything a search finds, as CSV or JSON lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, cast

import typer

from deploy.cli.client import lines
from deploy.cli.context import context_of
from ingest.errors import QueryError, UsageError

FORMATS = ("csv", "jsonl")
ROWS = 200
PROGRESS_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add ``export``."""
    app.command("export")(export)


def export(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="See docs/queries.md.")],
    kind: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    since: Annotated[str | None, typer.Option(help="From this time on: 2026-11-01, 24h.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default standard output.")
    ] = None,
) -> None:
    """Write everything a search finds, newest first, however much it is."""
    if kind not in FORMATS:
        raise UsageError(f"--format {kind} is unknown", hint=f"Use {' or '.join(FORMATS)}.")
    params = {"q": query, "since": since, "until": until}
    rows = lines(context_of(ctx), "GET", "/local/export", params=params)
    try:
        with _opened(output) as out:
            count = _write(rows, out, cast("Literal['csv', 'jsonl']", kind))
    except QueryError as error:
        error.query = query
        raise
    sys.stderr.write(f"exported {count:,} article{'' if count == 1 else 's'}\n")


def _write(rows: Iterator[Any], out: BinaryIO, kind: Literal["csv", "jsonl"]) -> int:
    """Write all rows; how many. They come in pages, so they go out in pages."""
    # Imported here: what the other commands need not load.
    from search.export import as_lines, head

    count, said = 0, time.monotonic()
    out.write(head(kind).encode())
    while some := list(islice(rows, ROWS)):
        out.write(as_lines(some, kind).encode("utf-8", "replace"))
        count += len(some)
        if sys.stderr.isatty() and time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            sys.stderr.write(f"{count:,} articles …\n")
    out.flush()
    return count


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """Where to write; a file has its name only once it is whole."""
    if path is None:
        yield sys.stdout.buffer
        return
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

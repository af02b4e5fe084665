"""``erase``: an article leaves everything, for whoever must."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.client import call, lines, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_json, print_line, print_table
from deploy.cli.times import when
from ingest.errors import UsageError

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def register(app: typer.Typer) -> None:
    """Add ``erase``."""
    app.command("erase", context_settings=IDS)(erase)


def erase(
    ctx: typer.Context,
    article: Annotated[str, typer.Argument(help="Its id; without one, what was erased.")] = "",
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept for ever, so without its words.")
    ] = "",
    json: JsonFlag = False,
) -> None:
    """Erase an article everywhere, for good; a trace stays. Without an id: list the traces."""
    if not article:
        _list(ctx, json=json)
        return
    if not reason.strip():
        raise UsageError(
            "an erasure needs a reason", hint=f'wirewatch erase {article} --reason "court order 12"'
        )
    row = call(
        context_of(ctx), "POST", f"/api/articles/{segment(article)}/erase", body={"reason": reason}
    )
    if json:
        print_json([row])
    elif row["finished"]:
        print_line(f"{row['article_id']} is erased: nothing of it is left in the data folder.")
    else:
        print_line(
            f"{row['article_id']} is being erased: within seconds search and alerts know it no "
            "more, soon after no file does. See: wirewatch erase"
        )


def _list(ctx: typer.Context, *, json: bool) -> None:
    rows = list(lines(context_of(ctx), "GET", "/local/erasures"))
    if json:
        print_json(rows)
        return
    print_table(
        ("article", "erased", "by", "seen again", "state", "reason"),
        (
            (
                row["article_id"],
                when(row["at"]),
                row["by"],
                row["skipped"],
                "done" if row["finished"] else "under way",
                row["reason"],
            )
            for row in rows
        ),
        empty="Nothing was erased.",
    )

"""``quarantine``: what could not be processed."""

from __future__ import annotations

import base64
import sys
from typing import Annotated

import typer

from deploy.cli.client import call, lines, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_facts, print_json, print_line, print_table
from deploy.cli.times import when

app = typer.Typer(help="What could not be processed: list, show, retry, drop.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
RowId = Annotated[str, typer.Argument(metavar="ID")]


@app.command("list")
def list_rows(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List what was set aside: who, when, where, why."""
    rows = lines(context_of(ctx), "GET", "/local/quarantine")
    if json:
        print_json(rows)
        return
    print_table(
        ("id", "at", "stage", "key", "why"),
        [(r["id"], when(r["at"]), r["stage"], r["key"], r["why"]) for r in rows],
        empty="Nothing is in quarantine.",
    )


@app.command("show", context_settings=IDS)
def show(
    ctx: typer.Context,
    row_id: RowId,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes themselves, unchanged.")] = False,
    json: JsonFlag = False,
) -> None:
    """Show one row with its bytes."""
    found = call(context_of(ctx), "GET", f"/local/quarantine/{segment(row_id)}")
    body = base64.b64decode(found["bytes"])
    if raw:
        sys.stdout.buffer.write(body)
        return
    if json:
        print_json([found])
        return
    facts = {key: value for key, value in found.items() if key not in ("bytes", "schema")}
    print_facts({**facts, "at": when(found["at"])})
    print_line(body[:4000].decode("utf-8", "replace"))


@app.command("retry", context_settings=IDS)
def retry(ctx: typer.Context, row_id: RowId, json: JsonFlag = False) -> None:
    """Process a row again: a feed is polled at once, a record goes through its stage again."""
    found = call(context_of(ctx), "POST", f"/local/quarantine/{segment(row_id)}/retry")
    if json:
        print_json([found])
    else:
        print_line(found["sentence"])


@app.command("drop", context_settings=IDS)
def drop(ctx: typer.Context, row_id: RowId, json: JsonFlag = False) -> None:
    """Forget a row."""
    found = call(context_of(ctx), "POST", f"/local/quarantine/{segment(row_id)}/drop")
    if json:
        print_json([found])
    else:
        print_line(found["sentence"])

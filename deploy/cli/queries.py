"""``query check``: what a query means, what it costs, how often it would hit."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.client import call
from deploy.cli.context import context_of
from deploy.cli.output import print_json, print_line
from ingest.errors import QueryError

app = typer.Typer(help="The query language.")


@app.callback()
def _group() -> None:
    """The query language."""


@app.command("check")
def check(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="See docs/queries.md.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Parse and explain a query: its tree, cost class, warnings, expected hits a day."""
    try:
        found = call(context_of(ctx), "GET", "/local/query/check", params={"q": query})
    except QueryError as error:
        error.query = query
        raise
    if json:
        print_json([found])
        return
    for line in found["explanation"]:
        print_line(line)
    print_line(f"cost: {found['cost']}")
    expected = found["hits_a_day"]
    shown = "unknown, the index is away" if expected is None else f"{expected:.1f}"
    print_line(f"hits a day, from what is indexed: {shown}")
    for warning in found["warnings"]:
        print_line(f"warning: {warning}")

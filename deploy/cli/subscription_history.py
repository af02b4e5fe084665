"""``subscriptions preview``, ``backfill``, ``explain``: a subscription and what was published."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.client import call, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_json, print_line
from deploy.cli.subscription_words import ask, print_one
from deploy.cli.times import minute, when

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Name = Annotated[str, typer.Argument(help="The subscription's name or id.")]

BAR = 40
"""Characters of the longest bar."""


def register(app: typer.Typer) -> None:
    """Add ``preview``, ``backfill`` and ``explain``."""
    app.command("preview")(preview)
    app.command("backfill", context_settings=IDS)(backfill)
    app.command("explain", context_settings=IDS)(explain)


def preview(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="See docs/queries.md; topic:ceasefire-talks.")],
    days: Annotated[int, typer.Option(help="So many days back, today included.")] = 30,
    every_article: Annotated[
        bool, typer.Option("--every-article", help="Each article, not once a story.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Say what a subscription to a query would have sent, from what is indexed."""
    body = {"query": query, "days": days, "every_article": every_article}
    found = ask(ctx, "POST", "/api/subscriptions/preview", body=body, query=query)
    if json:
        print_json([found])
        return
    print_line(found["sentence"])
    most = max(1, found["busiest"]["alerts"])
    for row in found["days"]:
        if row["matches"]:
            bar = "#" * max(1, row["alerts"] * BAR // most) if row["alerts"] else ""
            print_line(f"  {row['day']}  {row['alerts']:>5}  {bar}")
    for hit in found["examples"]:
        print_line(f"{minute(hit['seen'])}  {hit['source']}: {hit['title']}")


def backfill(
    ctx: typer.Context,
    name: Name,
    since: Annotated[str, typer.Option(help="From this time on: 2026-11-01, 24h.")],
    json: JsonFlag = False,
) -> None:
    """Send what matched in the past, too; what was sent stays sent, nothing comes twice."""
    path = f"/api/subscriptions/{segment(name)}/backfill"
    found = call(context_of(ctx), "POST", path, body={"since": since})
    if json:
        print_one(found, json=True)
        return
    print_line(f"history from {when(found['backfill_since'])} on is matched with {found['name']}")
    print_line(f"see how far it is: wirewatch subscriptions show {found['name']}")


def explain(
    ctx: typer.Context,
    name: Name,
    article: Annotated[str, typer.Argument(help="An article's id.")],
    json: JsonFlag = False,
) -> None:
    """Say why an article does or does not alert a subscription."""
    path = f"/local/subscriptions/{segment(name)}/explain/{segment(article)}"
    found = call(context_of(ctx), "GET", path)
    if json:
        print_json([found])
        return
    print_line(found["sentence"])
    for line in found["reasons"]:
        print_line(f"  {line}")

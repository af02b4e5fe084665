"""What commands say of a subscription."""

from __future__ import annotations

from typing import Any

import typer

from deploy.cli.client import call
from deploy.cli.context import context_of
from deploy.cli.output import print_facts, print_json, print_line
from deploy.cli.times import when
from ingest.errors import QueryError


def ask(ctx: typer.Context, method: str, path: str, *, body: Any, query: str) -> Any:
    """The API's answer; a fault of ``query`` is shown below it."""
    try:
        return call(context_of(ctx), method, path, body=body)
    except QueryError as error:
        error.query = query
        raise


def print_one(found: dict[str, Any], *, json: bool) -> None:
    """A subscription for a program or a person."""
    if json:
        print_json([found])
    else:
        print_subscription(found)


def print_subscription(found: dict[str, Any]) -> None:
    """A subscription for a person: without what only programs use."""
    facts = {key: found[key] for key in ("name", "id", "query", "to")}
    print_facts(
        {
            **facts,
            "state": state(found),
            "alerts": _alerts(found),
            **{key: found[key] for key in ("digest", "quiet", "throttle") if found[key]},
            **_backfill(found),
            "created": when(found["created"]),
        }
    )


def print_secrets(found: dict[str, Any]) -> None:
    """What the receivers of the targets just given need to know."""
    for endpoint in found.get("endpoints", ()):
        if endpoint["secret"]:
            print_line(f"webhook {endpoint['to']} is signed with {endpoint['secret']}")


def state(found: dict[str, Any]) -> str:
    """Whether it counts, in a few words."""
    if found["paused"]:
        return "paused"
    if found["active"] is None:
        return "counts from the next article on"
    return f"active from {when(found['active'])}"


def _alerts(found: dict[str, Any]) -> str:
    if found["every_article"]:
        return "every article"
    return "once a story, and when it grows" if found["story_updates"] else "once a story"


def _backfill(found: dict[str, Any]) -> dict[str, list[str]]:
    rows = [row["sentence"] for row in found.get("backfills", [])]
    return {"history": rows} if rows else {}

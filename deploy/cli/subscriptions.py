"""``subscriptions``: who wants what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import call, lines, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_facts, print_json, print_line, print_table
from ingest.errors import QueryError, UsageError

app = typer.Typer(help="Who wants what: add, list, show, edit, pause, remove, test, explain.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Name = Annotated[str, typer.Argument(help="The subscription's name or id.")]
To = Annotated[
    list[str] | None,
    typer.Option("--to", help="https://… (signed webhook), file:PATH or stdout:; repeatable."),
]


def absolute(targets: list[str] | None) -> list[str] | None:
    """The targets as they are stored: ``file:`` is relative to where it was added.

    Raises:
        UsageError: ``file:`` without a path, or with that of a folder.
    """
    return None if targets is None else [_target(one) for one in targets]


def _target(given: str) -> str:
    if given == "stdout":
        return "stdout:"
    kind, _, name = given.partition(":")
    if kind != "file":
        return given
    path = Path(name).expanduser().absolute()
    if not name.strip() or path.is_dir():
        raise UsageError(
            f"--to {given} does not name a file", hint="Write for example --to file:alerts.jsonl"
        )
    return f"file:{path}"


@app.command("add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name of your own.")],
    query: Annotated[str, typer.Argument(help="See docs/queries.md; topic:ceasefire-talks.")],
    to: To = None,
    every_article: Annotated[
        bool, typer.Option("--every-article", help="Each article, not once a story.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Subscribe to a query or a topic."""
    body = {
        "name": name,
        "query": query,
        "to": absolute(to) or ["stdout:"],
        "every_article": every_article,
    }
    found = _with_query(ctx, "POST", "/api/subscriptions", body=body, query=query)
    if json:
        print_json([found])
        return
    print_line(f"subscribed {found['name']} ({found['id']}) to: {found['query']}")
    _print_secrets(found)


@app.command("list")
def list_subscriptions(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List every subscription."""
    rows = lines(context_of(ctx), "GET", "/local/subscriptions")
    if json:
        print_json(rows)
        return
    print_table(
        ("name", "state", "query", "to"),
        [
            (r["name"], "paused" if r["paused"] else "active", r["query"], ", ".join(r["to"]))
            for r in rows
        ],
        empty="No subscriptions yet. Try: wirewatch subscriptions add truce topic:ceasefire-talks",
    )


@app.command("show", context_settings=IDS)
def show(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Show one subscription."""
    _print_one(call(context_of(ctx), "GET", f"/api/subscriptions/{segment(name)}"), json=json)


@app.command("edit", context_settings=IDS)
def edit(
    ctx: typer.Context,
    name: Name,
    query: Annotated[str | None, typer.Option(help="A new query; it counts from now on.")] = None,
    rename: Annotated[str | None, typer.Option(help="A new name.")] = None,
    to: To = None,
    every_article: Annotated[
        bool | None, typer.Option(help="Each article, or once a story.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="End a pause.")] = False,
    json: JsonFlag = False,
) -> None:
    """Change a subscription; what was sent stays sent."""
    body: dict[str, Any] = {
        "query": query,
        "name": rename,
        "to": absolute(to),
        "every_article": every_article,
        "paused": False if resume else None,
    }
    changes = {key: value for key, value in body.items() if value is not None}
    if not changes:
        raise UsageError(
            "there is nothing to change",
            hint="Give --query, --rename, --to, --every-article, --no-every-article or --resume.",
        )
    found = _with_query(
        ctx, "PATCH", f"/api/subscriptions/{segment(name)}", body=changes, query=query or ""
    )
    _print_one(found, json=json)
    if not json:
        _print_secrets(found)


@app.command("pause", context_settings=IDS)
def pause(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Pause a subscription; end the pause with: edit NAME --resume."""
    found = call(
        context_of(ctx), "PATCH", f"/api/subscriptions/{segment(name)}", body={"paused": True}
    )
    _print_one(found, json=json)


@app.command("remove", context_settings=IDS)
def remove(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Remove a subscription; its alerts stay listed."""
    found = call(context_of(ctx), "DELETE", f"/api/subscriptions/{segment(name)}")
    if json:
        print_json([found])
    else:
        print_line(f"removed {found['name']}")


@app.command("test", context_settings=IDS)
def test(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Send a test alert to every target."""
    found = call(context_of(ctx), "POST", f"/api/subscriptions/{segment(name)}/test")
    if json:
        print_json(found["deliveries"])
    else:
        for row in found["deliveries"]:
            print_line(f"{row['to']}: {row['error'] or 'acknowledged'}")
    if any(row["error"] for row in found["deliveries"]):
        raise typer.Exit(1)


@app.command("explain", context_settings=IDS)
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


def _with_query(ctx: typer.Context, method: str, path: str, *, body: Any, query: str) -> Any:
    try:
        return call(context_of(ctx), method, path, body=body)
    except QueryError as error:
        error.query = query
        raise


def _print_one(found: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json([found])
    else:
        print_subscription(found)


def print_subscription(found: dict[str, Any]) -> None:
    """A subscription for a person: without what only programs use."""
    facts = {key: found[key] for key in ("name", "id", "query", "to")}
    alerts = "every article" if found["every_article"] else "once a story"
    print_facts({**facts, "state": _state(found), "alerts": alerts, "created": found["created"]})


def _state(found: dict[str, Any]) -> str:
    if found["paused"]:
        return "paused"
    if found["active"] is None:
        return "counts from the next article on"
    return f"active from {found['active']}"


def _print_secrets(found: dict[str, Any]) -> None:
    """What the receivers of the targets just given need to know."""
    for endpoint in found.get("endpoints", ()):
        if endpoint["secret"]:
            print_line(f"webhook {endpoint['to']} is signed with {endpoint['secret']}")

"""``channels``: receivers with a name of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from deploy.cli.client import call, segment
from deploy.cli.context import Context, context_of
from deploy.cli.output import print_facts, print_json, print_line, print_table
from deploy.cli.subscribing import absolute
from deploy.cli.times import when

app = typer.Typer(
    help="Receivers with a name: add, list, show, edit, rotate, test, enable, remove."
)

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Name = Annotated[str, typer.Argument(help="The channel's name or id.")]
Target = Annotated[
    str,
    typer.Argument(
        help="https://… (signed webhook), mailto:…, file:PATH, stdout:, kafka:NAME or a URL of "
        "apprise, such as ntfy://…"
    ),
]


@app.command("add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name of your own, one word.")],
    target: Target,
    json: JsonFlag = False,
) -> None:
    """Give a receiver a name, for --to of subscriptions."""
    body = {"name": name, "target": (absolute([target]) or [""])[0]}
    _changed(call(context_of(ctx), "POST", "/api/channels", body=body), "added", json=json)


@app.command("list")
def list_channels(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List every channel and how it does."""
    rows = list(_pages(context_of(ctx)))
    if json:
        print_json(rows)
        return
    print_table(
        ("name", "to", "state", "used by"),
        [(r["name"], r["to"], _state(r), ", ".join(r["used_by"])) for r in rows],
        empty="No channels yet. Try: wirewatch channels add desk mailto:desk@example.org",
    )


@app.command("show")
def show(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Show one channel and how it does."""
    _print_one(call(context_of(ctx), "GET", _path(name)), json=json)


@app.command("edit")
def edit(ctx: typer.Context, name: Name, target: Target, json: JsonFlag = False) -> None:
    """Give a channel another address; it counts at once, also for alerts that wait."""
    body = {"target": (absolute([target]) or [""])[0]}
    _changed(call(context_of(ctx), "PATCH", _path(name), body=body), "changed", json=json)


@app.command("rotate")
def rotate(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Make a new signing secret; the old one signs along for 24 hours."""
    _changed(call(context_of(ctx), "POST", f"{_path(name)}/rotate"), "rotated", json=json)


@app.command("test")
def test(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Send a test alert."""
    rows = call(context_of(ctx), "POST", f"{_path(name)}/test")["deliveries"]
    if json:
        print_json(rows)
    else:
        for row in rows:
            print_line(f"{row['to']}: {row['error'] or 'acknowledged'}")
    if any(row["error"] for row in rows):
        raise typer.Exit(1)


@app.command("enable")
def enable(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Use a channel again that was given up after failing for days."""
    _changed(call(context_of(ctx), "POST", f"{_path(name)}/enable"), "enabled", json=json)


@app.command("remove")
def remove(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Remove a channel that no subscription uses."""
    _changed(call(context_of(ctx), "DELETE", _path(name)), "removed", json=json)


def _path(name: str) -> str:
    return f"/api/channels/{segment(name)}"


def _pages(context: Context) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = call(context, "GET", f"/api/channels?after={segment(after)}")
        yield from page["channels"]
        after = page["after"]
        if not after:
            return


def _changed(found: dict[str, Any], what: str, *, json: bool) -> None:
    if json:
        print_json([found])
        return
    print_line(f"{what} {found['name']}: {found['to']}")
    if found.get("secret"):
        print_line(f"webhook {found['to']} is signed with {found['secret']}")


def _print_one(found: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json([found])
        return
    facts = {key: found[key] for key in ("name", "id", "to", "created")}
    last = {"last acknowledged": when(found["last_ok"])} if found["last_ok"] else {}
    print_facts({**facts, "state": _state(found), **last, "used by": ", ".join(found["used_by"])})


def _state(found: dict[str, Any]) -> str:
    match found["state"]:
        case "disabled":
            return f"disabled: {found['disabled']}"
        case "failing":
            return f"failing since {found['failing_since']}"
        case state:
            return str(state)

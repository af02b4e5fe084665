"""``subscriptions``: who wants what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from deploy.cli import subscribing, subscription_files, subscription_history
from deploy.cli.client import call, lines, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_json, print_line, print_table
from deploy.cli.subscription_words import print_one

app = typer.Typer(help="Who wants what, when and where: subscriptions.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Name = Annotated[str, typer.Argument(help="The subscription's name or id.")]

subscribing.register(app)


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
    """Show one subscription, and how far a backfill of it has come."""
    print_one(call(context_of(ctx), "GET", f"/api/subscriptions/{segment(name)}"), json=json)


@app.command("pause", context_settings=IDS)
def pause(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Pause a subscription; go on with: resume."""
    print_one(_changed(ctx, name, {"paused": True}), json=json)


@app.command("resume", context_settings=IDS)
def resume(
    ctx: typer.Context,
    name: Name,
    catch_up: Annotated[
        bool, typer.Option("--catch-up", help="Send what matched during the pause, too.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """End a pause: from now on, or without a gap."""
    print_one(_changed(ctx, name, {"paused": False, "catch_up": catch_up}), json=json)


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
        if found["sentence"]:
            print_line(found["sentence"])
    if any(row["error"] for row in found["deliveries"]):
        raise typer.Exit(1)


subscription_history.register(app)
subscription_files.register(app)


def _changed(ctx: typer.Context, name: str, changes: dict[str, Any]) -> Any:
    path = f"/api/subscriptions/{segment(name)}"
    return call(context_of(ctx), "PATCH", path, body=changes)

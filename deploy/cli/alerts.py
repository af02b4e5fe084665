"""``alerts``: what was sent, to whom, when, and why it failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from deploy.cli.client import call, is_running, lines, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_json, print_line, print_table
from deploy.cli.times import when
from ingest.errors import UnavailableError, UsageError

app = typer.Typer(help="What was sent: list, retry, watch.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("list")
def list_alerts(
    ctx: typer.Context,
    failed: Annotated[bool, typer.Option("--failed", help="Only failed ones.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Created from then on: 2026-11-01, 24h.")
    ] = None,
    subscription: Annotated[str | None, typer.Option(help="Of one, by name or id.")] = None,
    json: JsonFlag = False,
) -> None:
    """List alerts, newest first."""
    params = {"state": "failed" if failed else None, "since": since, "subscription": subscription}
    rows = lines(context_of(ctx), "GET", "/local/alerts", params=params)
    if json:
        print_json(rows)
        return
    print_alerts(rows)


def print_alerts(rows: Iterable[Mapping[str, Any]]) -> None:
    """Alerts as a table; an error only where the alert did not reach every target."""
    print_table(
        ("id", "created", "state", "subscription", "article", "to", "last error"),
        [
            (
                r["alert_id"],
                when(r["created"]),
                r["state"],
                r["subscription_name"],
                r["title"],
                ", ".join([*r["acknowledged"], *r["pending"]]),
                "" if r["state"] == "sent" else _last_error(r),
            )
            for r in rows
        ],
        empty="No alerts.",
    )


def _last_error(row: Mapping[str, Any]) -> str:
    return next((str(a["error"]) for a in reversed(row["attempts"]) if a["error"]), "")


@app.command("retry", context_settings=IDS)
def retry(
    ctx: typer.Context,
    alert_id: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All failed ones.")] = False,
    since: Annotated[
        str | None, typer.Option(help="With --failed: created from then on: 2026-11-01, 24h.")
    ] = None,
    subscription: Annotated[
        str | None, typer.Option(help="With --failed: of one, by name or id.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Deliver a failed alert again, or all that failed since a time; each keeps its id."""
    if alert_id is None:
        _retry_failed(ctx, since if failed else None, subscription, json=json)
        return
    if failed or since or subscription:
        raise UsageError("an id names one alert", hint="Give an id, or --failed with --since.")
    found = call(context_of(ctx), "POST", f"/api/alerts/{segment(alert_id)}/retry")
    if json:
        print_json([found])
    else:
        why = f": {found['error']}" if found["error"] else ""
        print_line(found["sentence"] or f"{found['alert_id']} is {found['state']}{why}")
    if found["error"]:
        raise typer.Exit(1)


def _retry_failed(
    ctx: typer.Context, since: str | None, subscription: str | None, *, json: bool
) -> None:
    if since is None:
        raise UsageError(
            "which alerts?", hint="Give an id, or --failed --since 24h, perhaps --subscription."
        )
    body = {"since": since, "subscription": subscription or ""}
    found = call(context_of(ctx), "POST", "/api/alerts/retry", body=body)
    if json:
        print_json([found])
        return
    count = found["retried"]
    print_line(
        f"{count} alert{' is' if count == 1 else 's are'} tried again; see: wirewatch alerts list"
        if count
        else "no failed alert"
    )


@app.command("watch")
def watch(
    ctx: typer.Context,
    json: JsonFlag = False,
) -> None:
    """Print alerts as they happen; end with Ctrl-C."""
    context = context_of(ctx)
    if not is_running(context):
        raise UnavailableError(
            f"Nothing runs on this data folder: {context.folder(context.settings()).path}.",
            hint="Start it in another terminal: wirewatch run",
            code="not-running",
        )
    try:
        for row in lines(context, "GET", "/local/alerts/watch"):
            if json:
                print_json([row])
            else:
                print_line(f"{when(row['created'])}  {row['subscription_name']}: {row['title']}")
    except KeyboardInterrupt:
        raise typer.Exit(0) from None

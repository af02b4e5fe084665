"""``accounts``: who may ask from beyond this machine."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import typer

from deploy.cli.client import call, lines, segment
from deploy.cli.context import context_of
from deploy.cli.output import print_json, print_line, print_table
from deploy.cli.times import day, minute, when
from ingest.errors import UsageError
from search.scopes import Scope

SCOPES: tuple[str, ...] = get_args(Scope)

app = typer.Typer(help="Who may ask from beyond this machine: add, list, revoke, audit.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Name = Annotated[str, typer.Argument(help="A name of your own, such as newsdesk.")]


@app.command("add")
def add(
    ctx: typer.Context,
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, write (its own) or admin (all); default read."),
    ] = None,
    owner: Annotated[
        str,
        typer.Option(help="Whose things it works with; default its own. This machine's: local."),
    ] = "",
    json: JsonFlag = False,
) -> None:
    """Make an account; its token is shown this once."""
    for one in scope or ():
        if one not in SCOPES:
            raise UsageError(f"--scope {one} is unknown", hint=f"Use {', '.join(SCOPES)}.")
    body = {"name": name, "owner": owner, "scopes": scope or ["read"]}
    found = call(context_of(ctx), "POST", "/local/accounts", body=body)
    if json:
        print_json([found])
        return
    print_line(f"account {found['name']} may {', '.join(found['scopes'])}; its token, shown once:")
    print_line(found["token"])


@app.command("list")
def list_accounts(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List every account."""
    rows = call(context_of(ctx), "GET", "/local/accounts")["accounts"]
    if json:
        print_json(rows)
        return
    print_table(
        ("name", "owner", "may", "created", "last used", "state"),
        [_cells(row) for row in rows],
        empty="No accounts: only this machine is answered. Make one: wirewatch accounts add NAME",
    )


@app.command("revoke")
def revoke(ctx: typer.Context, name: Name, json: JsonFlag = False) -> None:
    """Let an account in no more; its browsers are logged out at once."""
    found = call(context_of(ctx), "DELETE", f"/local/accounts/{segment(name)}")
    if json:
        print_json([found])
    else:
        print_line(f"revoked {found['name']}")


@app.command("audit")
def audit(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(help="From when on: 2026-11-22, 3d, 12h.")] = "",
    owner: Annotated[str, typer.Option(help="Only what is this owner's.")] = "",
    json: JsonFlag = False,
) -> None:
    """Who received what, and who changed what; oldest first."""
    params = {"since": since, "owner": owner}
    rows = lines(context_of(ctx), "GET", "/local/audit", params=params)
    if json:
        print_json(rows)
        return
    print_table(
        ("at", "what", "by", "owner", "subject", "target", "status"),
        [
            (when(r["at"]), r["what"], r["by"], r["owner"], r["subject"], r["target"], r["status"])
            for r in rows
        ],
        empty="Nothing was delivered or changed in this time.",
    )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    state = f"revoked {day(row['revoked'])}" if row["revoked"] else "in use"
    used = minute(row["last_used"]) if row["last_used"] else "never"
    may = row["scopes"][-1]
    return (row["name"], row["owner"], may, day(row["created"]), used, state)

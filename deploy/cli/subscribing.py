"""``subscriptions add`` and ``edit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import segment
from deploy.cli.context import IDS
from deploy.cli.output import print_json, print_line
from deploy.cli.subscription_words import ask, print_one, print_secrets
from ingest.errors import UsageError

OFF = "off"
"""Ends a digest, quiet hours or a throttle."""

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        help="A channel's name, https://… (signed webhook), mailto:…, file:PATH, stdout: or a "
        "URL of apprise; repeatable.",
    ),
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", help="Only of this site and its parts; repeatable."),
]
Lang = Annotated[
    list[str] | None, typer.Option("--lang", help="Only in this language: en; repeatable.")
]
Digest = Annotated[
    str | None,
    typer.Option(metavar="CRON", help="Together at these times: '0 8 * * 1-5 @Europe/Berlin'."),
]
Quiet = Annotated[
    str | None, typer.Option(metavar="HOURS", help="Held until then: 22:00-07:00@Europe/Berlin.")
]
Throttle = Annotated[
    str | None, typer.Option(metavar="N/TIME", help="No more than that, the rest together: 5/1h.")
]


def register(app: typer.Typer) -> None:
    """Add ``add`` and ``edit``."""
    app.command("add")(add)
    app.command("edit", context_settings=IDS)(edit)


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


def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name of your own.")],
    query: Annotated[str, typer.Argument(help="See docs/queries.md; topic:ceasefire-talks.")],
    to: To = None,
    source: Source = None,
    lang: Lang = None,
    digest: Digest = None,
    quiet: Quiet = None,
    throttle: Throttle = None,
    every_article: Annotated[
        bool, typer.Option("--every-article", help="Each article, not once a story.")
    ] = False,
    story_updates: Annotated[
        bool, typer.Option("--story-updates", help="Again when a story grows.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Subscribe to a query or a topic."""
    body = {
        "name": name,
        "query": query,
        "to": absolute(to) or ["stdout:"],
        "sources": source or [],
        "languages": lang or [],
        **_times(digest, quiet, throttle),
        "every_article": every_article,
        "story_updates": story_updates,
    }
    found = ask(ctx, "POST", "/api/subscriptions", body=body, query=query)
    if json:
        print_json([found])
        return
    where = ", ".join(found["to"])
    print_line(
        f"subscribed {found['name']} ({found['id']}): {found['query']}, alerts go to {where}"
    )
    print_secrets(found)


def edit(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The subscription's name or id.")],
    query: Annotated[str | None, typer.Option(help="A new query; it counts from now on.")] = None,
    rename: Annotated[str | None, typer.Option(help="A new name.")] = None,
    to: To = None,
    digest: Digest = None,
    quiet: Quiet = None,
    throttle: Throttle = None,
    every_article: Annotated[
        bool | None, typer.Option(help="Each article, or once a story.")
    ] = None,
    story_updates: Annotated[
        bool | None, typer.Option(help="Again when a story grows, or not.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="End a pause.")] = False,
    json: JsonFlag = False,
) -> None:
    """Change a subscription; what was sent stays sent. ``off`` ends a digest, quiet or throttle."""
    body: dict[str, Any] = {
        "query": query,
        "name": rename,
        "to": absolute(to),
        **_times(digest, quiet, throttle),
        "every_article": every_article,
        "story_updates": story_updates,
        "paused": False if resume else None,
    }
    changes = {key: value for key, value in body.items() if value is not None}
    if not changes:
        raise UsageError(
            "there is nothing to change",
            hint="Give --query, --rename, --to, --digest, --quiet, --throttle, --every-article, "
            "--story-updates or --resume.",
        )
    path = f"/api/subscriptions/{segment(name)}"
    found = ask(ctx, "PATCH", path, body=changes, query=query or "")
    print_one(found, json=json)
    if not json:
        print_secrets(found)


def _times(digest: str | None, quiet: str | None, throttle: str | None) -> dict[str, str | None]:
    given = {"digest": digest, "quiet": quiet, "throttle": throttle}
    return {key: "" if one == OFF else one for key, one in given.items()}

"""``feeds``: the feed list, its health, and what a poll would do."""

from __future__ import annotations

import base64
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import call, lines
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_facts, print_json, print_line, print_table
from ingest.errors import FileError, NotFoundError, UsageError, WirewatchError

app = typer.Typer(help="What is polled: add, list, remove, export, check, health.")

MAX_LIST_BYTES = 50_000_000
"""Of a list of feeds: a quarter of a million of them."""

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def read_list(name: str) -> tuple[bytes, str]:
    """The bytes of a feed list and its name; ``starter`` is the shipped list.

    Raises:
        FileError: it cannot be read.
    """
    if name == "starter":
        return (files("deploy") / "starter.opml").read_bytes(), "starter"
    try:
        with Path(name).open("rb") as stream:
            data = stream.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        host = re.match(r"[\w-]+(\.[\w-]+)+/", name)
        raise FileError(
            f"cannot read {name}: {error.strerror}",
            hint=f"Did you mean https://{name} ?" if host else "Give a URL, a file, or: starter",
            place=name,
        ) from error
    if len(data) > MAX_LIST_BYTES:
        raise FileError(
            f"{name} is larger than {MAX_LIST_BYTES // 1_000_000} MB",
            hint="Split the list.",
            place=name,
        )
    return data, name


def is_url(text: str) -> bool:
    """Whether a person meant a URL and not a file."""
    return "://" in text or text.startswith(("feed:", "javascript:", "data:", "mailto:"))


@app.command("add")
def add(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="URL|FILE|starter")],
    group: Annotated[list[str] | None, typer.Option(help="Folder of the feed; repeatable.")] = None,
    title: Annotated[str, typer.Option(help="A name of your own for the feed.")] = "",
    json: JsonFlag = False,
) -> None:
    """Add one feed, a list of them (OPML, or one URL a line), or the shipped starter list."""
    if not what.strip():
        raise UsageError("there is no feed to add", hint="Give a URL, a file, or: starter")
    context = context_of(ctx)
    if is_url(what):
        body = {"url": what, "groups": group or [], "title": title}
        found = call(context, "POST", "/api/feeds", body=body)
        if json:
            print_json([found])
        else:
            print_line(f"added {found['url']} ({found['feed_id']})")
        return
    data, name = read_list(what)
    body = {"data": base64.b64encode(data).decode(), "name": name}
    try:
        report = call(context, "POST", "/local/feeds/import", body=body)
    except WirewatchError as error:
        if not json and error.sentence.startswith(name):
            error.place = ""  # file and line stand in the sentence
        raise
    if json:
        print_json([report])
    else:
        _print_import(report, name)
    if not report["added"] and not report["skipped"]:
        raise typer.Exit(1)


def _print_import(report: dict[str, Any], name: str) -> None:
    for row in report["refused"]:
        print_line(f"refused, line {row['line']}: {row['text']}: {row['reason']}")
    if report["added"] or report["skipped"]:
        print_line(f"{report['added']} added, {report['skipped']} already there")
    elif report["refused"]:
        print_line(f"{name}: every line was refused, nothing was added")
    else:
        print_line(f"{name} lists no feed")


@app.command("list")
def list_feeds(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List every feed with its state."""
    rows = lines(context_of(ctx), "GET", "/local/feeds")
    if json:
        print_json(rows)
        return
    print_table(
        ("id", "state", "title", "url"),
        [(r["feed_id"], r["state"], r["title"], r["url"]) for r in rows],
        empty="No feeds yet. Add some: wirewatch feeds add starter",
    )


@app.command("health", context_settings=IDS)
def health(
    ctx: typer.Context,
    feed: Annotated[str | None, typer.Argument(help="A feed's id or URL; all without it.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say in a sentence how each feed is."""
    rows = list(lines(context_of(ctx), "GET", "/local/feeds"))
    if feed:
        rows = [r for r in rows if feed in (r["feed_id"], r["url"])]
        if not rows:
            raise NotFoundError(f"there is no feed {feed}", hint="See: wirewatch feeds list")
    if json:
        print_json(rows)
        return
    print_table(
        ("state", "feed", "how it is"),
        [(r["state"], r["title"] or r["url"], r["sentence"]) for r in rows],
        empty="No feeds yet. Add some: wirewatch feeds add starter",
    )


@app.command("remove", context_settings=IDS)
def remove(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="The feed's id or URL.")],
    json: JsonFlag = False,
) -> None:
    """Stop polling a feed; its articles stay."""
    context = context_of(ctx)
    found = call(context, "POST", "/local/feeds/remove", body={"feed": feed})
    if json:
        print_json([found])
    else:
        print_line(f"removed {found['url']}; its articles stay")


@app.command("export")
def export(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Default standard output.")] = None,
) -> None:
    """Write the feed list as OPML."""
    text = call(context_of(ctx), "GET", "/local/feeds/export")["opml"]
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise FileError(f"cannot write {file}: {error.strerror}", place=str(file)) from error
    print_line(f"wrote {file}")


@app.command("check")
def check(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="URL|FILE")],
    json: JsonFlag = False,
) -> None:
    """Say what a poll would do and why it fails; a page's own feeds are found and offered."""
    body: dict[str, Any] = {"url": what} if is_url(what) else {"file": str(Path(what).absolute())}
    found = call(context_of(ctx), "POST", "/local/feeds/check", body=body)
    if json:
        print_json([found])
    else:
        _print_check(found)
    if found["state"] != "ok":
        raise typer.Exit(1)


def _print_check(found: dict[str, Any]) -> None:
    print_line(" ".join(part for part in (found["sentence"], found["hint"]) if part))
    every = found["every_seconds"]
    facts = {
        "address": found["address"],
        "moved to": found["moved_to"],
        "title": found["title"],
        "format": found["format"],
        "encoding": found["encoding"],
        "entries": found["entries"],
        "newest": found["newest"],
        "polled": every and f"every {every / 60:.0f} minutes",
        "notes": ", ".join(found["notes"]),
    }
    print_facts({name: value for name, value in facts.items() if value})
    for one in found["found"]:
        print_line(f"  wirewatch feeds add {one['url']}  {one['title']}".rstrip())

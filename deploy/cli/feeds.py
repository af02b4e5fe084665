"""``feeds``: the feed list, its health, and what a poll would do."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import call
from deploy.cli.context import context_of
from deploy.cli.output import print_facts, print_json, print_line, print_table
from ingest.errors import FileError, UsageError

app = typer.Typer(help="What is polled: add, list, remove, export, check, health.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def read_list(name: str) -> tuple[str, str]:
    """The text of a feed list and its name; ``starter`` is the shipped list."""
    if name == "starter":
        return (files("deploy") / "starter.opml").read_text("utf-8"), "starter"
    try:
        return Path(name).read_text("utf-8"), name
    except OSError as error:
        raise FileError(
            f"cannot read {name}: {error.strerror}", hint="Give a URL, a file, or: starter"
        ) from error
    except UnicodeDecodeError as error:
        raise FileError(f"{name} is not UTF-8 text: {error}", place=name) from error


def is_url(text: str) -> bool:
    """Whether a person meant a URL and not a file."""
    return "://" in text or text.startswith(("feed:", "javascript:", "data:"))


@app.command("add")
def add(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="URL|FILE|starter")],
    group: Annotated[list[str] | None, typer.Option(help="Folder of the feed; repeatable.")] = None,
    title: Annotated[str, typer.Option(help="A name of your own for the feed.")] = "",
    json: JsonFlag = False,
) -> None:
    """Add one feed, a list of them (OPML, or one URL a line), or the shipped starter list."""
    context = context_of(ctx)
    if is_url(what):
        body = {"url": what, "groups": group or [], "title": title}
        found = call(context, "POST", "/api/feeds", body=body)
        if json:
            print_json([found])
        else:
            print_line(f"added {found['url']} ({found['feed_id']})")
        return
    text, name = read_list(what)
    report = call(context, "POST", "/local/feeds/import", body={"text": text, "name": name})
    if json:
        print_json([report])
        return
    print_line(f"{report['added']} added, {report['skipped']} already there")
    for row in report["refused"]:
        print_line(f"refused, line {row['line']}: {row['url']}: {row['sentence']}")


@app.command("list")
def list_feeds(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List every feed with its state."""
    rows = call(context_of(ctx), "GET", "/api/feeds")["feeds"]
    if json:
        print_json(rows)
        return
    print_table(
        ("id", "state", "title", "url"),
        [(r["feed_id"], r["state"], r["title"], r["url"]) for r in rows],
        empty="No feeds yet. Add some: wirewatch feeds add starter",
    )


@app.command("health")
def health(
    ctx: typer.Context,
    feed: Annotated[str | None, typer.Argument(help="A feed's id or URL; all without it.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say in a sentence how each feed is."""
    rows = call(context_of(ctx), "GET", "/api/feeds")["feeds"]
    if feed:
        rows = [r for r in rows if feed in (r["feed_id"], r["url"])]
        if not rows:
            raise UsageError(f"there is no feed {feed}", hint="See: wirewatch feeds list")
    if json:
        print_json(rows)
        return
    print_table(
        ("state", "feed", "how it is"),
        [(r["state"], r["title"] or r["url"], r["sentence"]) for r in rows],
        empty="No feeds yet. Add some: wirewatch feeds add starter",
    )


@app.command("remove")
def remove(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="The feed's id or URL.")],
    json: JsonFlag = False,
) -> None:
    """Stop polling a feed; its articles stay."""
    context = context_of(ctx)
    rows = call(context, "GET", "/api/feeds")["feeds"]
    known = next((r["feed_id"] for r in rows if feed in (r["feed_id"], r["url"])), None)
    if known is None:
        raise UsageError(f"there is no feed {feed}", hint="See: wirewatch feeds list")
    found = call(context, "DELETE", f"/api/feeds/{known}")
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
        typer.echo(text, nl=False)
        return
    file.write_text(text, "utf-8")
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
        print_line(found["sentence"])
        if found["hint"]:
            print_line(found["hint"])
        print_facts({name: found[name] for name in ("url", "format", "entries", "title")})
        for title in found["titles"]:
            print_line(f"  - {title}")
    if not found["ok"]:
        raise typer.Exit(1)

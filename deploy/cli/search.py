"""``search`` and ``article``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from deploy.cli.client import call, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_facts, print_json, print_line, print_table
from deploy.cli.times import minute, when
from ingest.errors import QueryError, UsageError

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
SORTS = ("relevance", "newest", "oldest")


def register(app: typer.Typer) -> None:
    """Add ``search`` and ``article``."""
    app.command("search")(search)
    app.command("article", context_settings=IDS)(article)


def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="See docs/queries.md.")],
    since: Annotated[str | None, typer.Option(help="From this time on: 2026-11-01, 24h.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    sort: Annotated[str, typer.Option(help="relevance, newest or oldest.")] = "newest",
    size: Annotated[int, typer.Option(min=1, max=200, help="Hits a page, at most 200.")] = 20,
    after: Annotated[str | None, typer.Option(help="The cursor of the last page.")] = None,
    group: Annotated[bool, typer.Option("--group", help="One hit a story.")] = False,
    facets: Annotated[str | None, typer.Option(help="Counts by: topic,source,lang.")] = None,
    interval: Annotated[str | None, typer.Option(help="A histogram over time: 1h, 1d.")] = None,
    json: JsonFlag = False,
) -> None:
    """Search the full text of everything that was read."""
    if sort not in SORTS:
        raise UsageError(f"--sort {sort} is unknown", hint=f"Use {', '.join(SORTS)}.")
    params = {
        "q": query,
        "since": since,
        "until": until,
        "sort": sort,
        "size": size,
        "after": after,
        "group": group or None,
        "facets": facets,
        "interval": interval,
    }
    try:
        found = call(context_of(ctx), "GET", "/api/search", params=params)
    except QueryError as error:
        error.query = query
        raise
    if json:
        print_json([*found["hits"], found["end"]])
        return
    for hit in found["hits"]:
        _print_hit(hit)
    print_end(found["end"], group=group)


def _print_hit(hit: dict[str, Any]) -> None:
    topics = f"  [{', '.join(hit['topics'])}]" if hit["topics"] else ""
    copies = f"  +{hit['copies']} more" if hit["copies"] else ""
    print_line(f"{minute(hit['seen'])}  {hit['title'] or '(no title)'}{topics}{copies}")
    print_line(f"    {hit['source']}  {hit['id']}  {hit['url']}")
    for fragment in hit["highlights"]["text"][:2]:
        print_line(f"    … {fragment['text']} …".replace("\n", " "))


def print_end(end: dict[str, Any], *, group: bool) -> None:
    """The last lines of a page: how many were found, counts by value and time, the next page."""
    total = end["total"]
    bound = "at least " if total["relation"] == "gte" else ""
    # The total counts articles also where a page shows one hit a story.
    counted = articles(total["value"]) if group else total["value"]
    shown = ", one shown for each story" if group and total["value"] else ""
    print_line(f"{bound}{counted} found in {end['took_ms']:.0f} ms{shown}")
    for name, counts in (end.get("facets") or {}).items():
        print_line(f"  {name}: " + ", ".join(f"{c['value']} {c['count']}" for c in counts))
    for bucket in end.get("histogram") or ():
        print_line(f"  {minute(bucket['at'])}  {bucket['count']}")
    if end["after"]:
        print_line(f"  next page: --after {end['after']}")


def article(
    ctx: typer.Context,
    article_id: Annotated[str, typer.Argument(metavar="ID", help="As search shows it.")],
    json: JsonFlag = False,
) -> None:
    """One article, its revisions and its way through the stages."""
    found = call(context_of(ctx), "GET", f"/api/articles/{segment(article_id)}")
    if json:
        print_json([found])
    else:
        print_article(found)


def print_article(found: dict[str, Any]) -> None:
    """An article for a person: text, facts, topics, revisions, its way through the stages."""
    print_line(found["title"] or "(no title)")
    print_line(found["text"])
    print_line("")
    print_facts(
        {
            "url": found["url"],
            "source": found["source"],
            "published": _published(found),
            "seen": when(found["seen"]),
            "feeds": ", ".join(found["feeds"]),
            "story": f"{found['story_id']} ({articles(found['story_size'])})",
            "copy of": found["copy_of"] or "-",
            "notes": ", ".join(found["notes"]) or "-",
        }
    )
    for tag in found["topic_tags"]:
        words = "; ".join(f"{e['rule']}: {e['text']}" for e in tag["evidence"])
        print_line(f"{tag['band']:<10} {tag['topic']} {tag['score']:.2f}  {words}")
    print_table(
        ("revision", "seen", "title"),
        [(r["number"], when(r["seen"]), r["title"]) for r in found["revisions"]],
        empty=f"revision {found['revision']}, never changed",
    )
    for step in found["journey"]:
        at = f"{when(step['at'])}  " if step["at"] else ""
        print_line(f"{step['stage']:<10} {at}{step['sentence']}")


def articles(count: int) -> str:
    """``1 article``, ``2 articles``."""
    return f"{count} article{'' if count == 1 else 's'}"


def _published(found: dict[str, Any]) -> str:
    claimed = found["published_claimed"]
    if found["date_source"] in ("none", "seen") and claimed:
        return f"{when(found['published'])} (date claimed by feed: {claimed})"
    return when(found["published"])

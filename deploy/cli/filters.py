"""The filters: standard input to standard output, JSON lines, no state."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from deploy.cli.context import context_of
from deploy.cli.output import print_json
from ingest.errors import FileError, QueryError, UsageError

if TYPE_CHECKING:
    from ingest.article import Article
    from processors.records import Band, TopicTag


def register(app: typer.Typer) -> None:
    """Add ``parse``, ``tag``, ``match`` and ``group``."""
    app.command("parse")(parse)
    app.command("tag")(tag)
    app.command("match")(match)
    app.command("group")(group)


JsonFlag = Annotated[bool, typer.Option("--json", help="Accepted for symmetry; always JSON lines.")]


def parse(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Feed files; none reads stdin.")
    ] = None,
    url: Annotated[str, typer.Option("--url", help="Where the feed was fetched from.")] = "",
    content_type: Annotated[
        str, typer.Option("--content-type", help="The Content-Type header it came with.")
    ] = "",
    _json: JsonFlag = False,
) -> None:
    """Feed bytes to articles: one line an entry; a refused file gives one line with its error."""
    from deploy.parse_files import parse_files

    settings = context_of(ctx).settings()
    refused = 0
    for line in parse_files(files or [], settings=settings, url=url, content_type=content_type):
        refused += "error" in line
        print_json([line])
    if refused:
        raise typer.Exit(1)


def tag(
    ctx: typer.Context,
    topics: Annotated[
        Path | None, typer.Option("--topics", help="A folder of topic files beside the shipped.")
    ] = None,
    _json: JsonFlag = False,
) -> None:
    """Tag articles: ``{"id","title","text","lang"?,"source"?}`` in, the id with ``topics`` out."""
    from deploy.topic_files import load_topics
    from ingest.wire import as_json
    from processors.pipeline import tag_text
    from processors.topics import TopicEngine

    folder = topics or _folder(context_of(ctx).settings().topics.folder)
    engine = TopicEngine(load_topics(folder))
    for number, row in _rows(sys.stdin):
        text = _text(row, "text", number)
        tags = tag_text(
            str(row.get("title") or ""), text, language=str(row.get("lang") or ""), engine=engine
        )
        named = {"id": row["id"]} if "id" in row else {}
        print_json([{**named, "topics": [as_json(one) for one in tags]}])


def match(
    queries: Annotated[
        Path, typer.Option("--queries", help='JSON lines {"id","query"}.', exists=True)
    ],
    _json: JsonFlag = False,
) -> None:
    """Match articles against queries: ``{"id","matches":[query ids]}``, in input order."""
    from processors.document import document
    from processors.matcher import Matcher
    from processors.query import parse as parse_query

    parsed = {}
    with queries.open(encoding="utf-8") as lines:
        for number, row in _rows(lines, name=str(queries)):
            text = _text(row, "query", number)
            try:
                parsed[str(row.get("id"))] = parse_query(text)
            except QueryError as error:
                error.place = f"{queries}, line {number}"
                raise
    matcher = Matcher(parsed)
    order = {name: place for place, name in enumerate(parsed)}
    for number, row in _rows(sys.stdin):
        _text(row, "text", number)
        found = sorted(
            matcher.match(document(article_of(row), topics_of(row))), key=order.__getitem__
        )
        print_json([{"id": row.get("id"), "matches": found}])


def group(
    window: Annotated[str, typer.Option("--window", help="Sliding window: 72h, 10d.")] = "72h",
    _json: JsonFlag = False,
) -> None:
    """Group articles in time order into copies and stories."""
    from processors.grouping import group_articles

    rows = (row for _, row in _rows(sys.stdin))
    for line in group_articles(rows, window_hours=hours_of(window)):
        print_json([line])


def hours_of(text: str) -> float:
    """``72h`` or ``3d`` in hours. Raises UsageError."""
    unit = {"h": 1.0, "d": 24.0}.get(text[-1:], 0.0)
    try:
        hours = float(text[:-1]) * unit
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 3660:
        raise UsageError(f"--window {text} is not a length of time", hint="Write 72h or 3d.")
    return hours


def article_of(row: dict[str, Any]) -> Article:
    """The article that a line of a filter's input describes; only ``text`` is needed."""
    from ingest.article import Article
    from ingest.dates import parse_date

    def many(name: str) -> tuple[str, ...]:
        value = row.get(name) or ()
        return (value,) if isinstance(value, str) else tuple(str(one) for one in value)

    return Article(
        id=str(row.get("id") or ""),
        feed_id=str(row.get("feed_id") or ""),
        feeds=many("feeds") or many("feed"),
        source=str(row.get("source") or ""),
        url=str(row.get("url") or ""),
        title=str(row.get("title") or ""),
        text=str(row.get("text") or ""),
        authors=many("authors") or many("author"),
        tags=many("tags"),
        language=str(row.get("lang") or row.get("language") or ""),
        groups=many("groups") or many("group"),
        published=parse_date(str(row.get("published") or row.get("date") or "")),
    )


def topics_of(row: dict[str, Any]) -> tuple[TopicTag, ...]:
    """Topic tags on a line: ids (band tag) or the objects that ``tag`` prints."""
    from processors.records import TopicTag

    found = []
    for one in row.get("topics") or ():
        name, band = (
            (one, "tag") if isinstance(one, str) else (one["topic"], one.get("band", "tag"))
        )
        found.append(TopicTag(topic=name, version=0, score=1.0, band=_band(band)))
    return tuple(found)


def _band(text: str) -> Band:
    return "review" if text == "review" else "tag"


def _folder(name: str) -> Path | None:
    return Path(name).expanduser() if name else None


def _rows(stream: TextIO, *, name: str = "standard input") -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FileError(
                f"line {number} is not JSON: {error}",
                place=name,
                hint="Give one JSON object a line.",
            ) from error
        if not isinstance(row, dict):
            raise FileError(f"line {number} is not a JSON object", place=name)
        yield number, row


def _text(row: dict[str, Any], name: str, number: int) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise FileError(
            f'line {number} has no "{name}"', place="standard input", hint=f'Add "{name}": "…".'
        )
    return value

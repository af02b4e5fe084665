"""Copies and stories of a plain stream of articles: the filter ``group``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ingest.dates import parse_date
from processors.language import primary
from processors.signatures import signature
from processors.stories import Window


def group_articles(
    articles: Iterable[Mapping[str, Any]], *, window_hours: float = 72
) -> Iterator[dict[str, Any]]:
    """``{"id", "story_id", "copy_of", "similarity"}`` for each of ``articles``, in their order.

    An article has ``id``, ``title``, ``text``, ``seen`` or ``date``, and may have ``source`` (or
    ``url``) and ``language``. One without a date that can be read counts as seen with the last.
    """
    window = Window(window_hours)
    newest = datetime(1970, 1, 1, tzinfo=UTC)
    for order, article in enumerate(articles):
        date = str(article.get("seen") or article.get("date") or "")
        newest = max(newest, parse_date(date) or newest)
        name = str(article.get("id", order))
        at = window.place(
            name,
            signature(str(article.get("title") or ""), str(article.get("text") or "")),
            seen=newest,
            order=order,
            source=_source(article),
            language=primary(str(article.get("language") or article.get("lang") or "")),
        )
        yield {
            "id": article.get("id", name),
            "story_id": at.story_id,
            "copy_of": at.copy_of,
            "similarity": at.similarity,
        }


def _source(article: Mapping[str, Any]) -> str:
    return str(article.get("source") or urlsplit(str(article.get("url") or "")).hostname or "")

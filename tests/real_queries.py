"""Searches over given articles: their own words in every form that the query language has."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ingest.article import Article
from ingest.errors import QueryError
from processors.query import parse
from processors.records import StoryRecord
from search.index import SearchRequest, Sort
from tests.benchmarks.bench_search import QUERIES, Words

FORMS = (
    *(form for form in QUERIES.values() if "{source}" not in form),
    "~{medium} {common}",
    "{common} ONEAR/10 {medium}",
    "lead:{medium} OR body:{rare}",
    "=<name>",
    "=<name> {common}",
    "author:<author>",
    "tag:<tag>",
    "feed:<feed> {common}",
    "title:({common} OR {medium})",
    "({medium} OR {rare}) NOT ({common} {medium})",
    "source:<source>",
    "source:<source> NOT {medium}",
    "lang:<language> {common}",
    "lang:<language>",
    "topic:<topic>",
    "topic:<topic> OR {rare}",
    "published:<year> {common}",
    "published:>=<year> {medium}",
    "seen:>2020-01-01 {medium}",
)
"""``{words}`` as in the benchmark of searching; ``<values>`` are drawn from the articles."""

NAME = re.compile(r"\b[A-Z][a-z]{2,}\b")
EVERYTHING = "seen:>2000-01-01"
PAGE, SMALL_PAGE = 200, 23
SEED = 20_261_122


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A search. Grouped by story it depends on the order of arrival, as stories do."""

    text: str
    sort: Sort = "newest"
    size: int = PAGE
    is_grouped: bool = False

    def request(self, after: str = "") -> SearchRequest:
        return SearchRequest(
            query=parse(self.text, where="search"),
            sort=self.sort,
            size=self.size,
            group=self.is_grouped,
            after=after,
            facets=() if after else ("topic", "source", "lang"),
            interval="" if after else "1h",
        )


def questions(stories: Sequence[StoryRecord], *, count: int) -> tuple[Question, ...]:
    """``count`` different ones: of four, one oldest first, one by story, one in small pages.

    The first finds all there is.
    """
    return (Question(text=EVERYTHING), *islice(_drawn(stories), count - 1))


def _drawn(stories: Sequence[StoryRecord]) -> Iterator[Question]:
    chosen = random.Random(SEED)
    stories = sorted(stories, key=lambda one: one.article.id)
    words = Words([f"{one.article.title}\n{one.article.text}" for one in stories], seed=SEED)
    values = _values([one.article for one in stories]) | {
        "<topic>": _frequent(tag.topic for one in stories for tag in one.topics)
    }
    known: set[str] = set()
    while True:
        for form in FORMS:
            text = words.query(form)
            for name, some in values.items():
                text = text.replace(name, chosen.choice(some))
            if text in known or not _can_be_asked(text):
                continue
            known.add(text)
            number = len(known) % 4
            yield Question(
                text=text,
                sort="oldest" if number == 1 else "newest",
                is_grouped=number == 2,
                size=SMALL_PAGE if number == 3 else PAGE,
            )


def _values(articles: Sequence[Article]) -> dict[str, list[str]]:
    return {
        "<source>": _frequent(one.source for one in articles),
        "<language>": _frequent(one.language for one in articles),
        "<year>": _frequent(f"{one.published:%Y}" for one in articles if one.published),
        "<author>": _frequent(f'"{name}"' for one in articles for name in one.authors),
        "<tag>": _frequent(f'"{name}"' for one in articles for name in one.tags),
        "<feed>": _frequent(one.feed_id for one in articles),
        "<name>": _frequent(word for one in articles for word in NAME.findall(one.title)),
    }


def _frequent(values: Iterator[str]) -> list[str]:
    counted = Counter(value for value in values if value)
    return [value for value, _ in counted.most_common(20)] or ["none"]


def _can_be_asked(text: str) -> bool:
    try:
        parse(text, where="search")
    except QueryError:
        return False
    return True

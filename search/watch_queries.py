"""Queries that watch Wirewatch's own feeds and topics instead of articles. Pure.

``watch:silence`` and ``watch:bursts``, one or both, stand where other subscriptions have a query.
``feed:`` and ``source:`` narrow the feeds whose silence is told, ``topic:`` the topics that burst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.errors import QueryError

KINDS = ("silence", "bursts")
HINT = "Write watch:silence or watch:bursts, and feed:…, source:… or topic:… for some only."

_BEGIN = re.compile(r"[\s(]*watch:", re.IGNORECASE)
_TOKEN = re.compile(r"[^\s()]+")
_JOINS = frozenset({"AND", "OR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchQuery:
    """What is watched; without ``feeds``, ``sources`` or ``topics`` all of them."""

    kinds: frozenset[str]
    feeds: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()

    def explanation(self) -> list[str]:
        """What it tells, a line a kind."""
        feeds = ", ".join(sorted(self.feeds | self.sources)) or "any feed"
        topics = ", ".join(sorted(self.topics)) or "any topic"
        lines = {
            "silence": f"tells when {feeds} is silent against its own rhythm",
            "bursts": f"tells when {topics} has far more news than is usual at that hour",
        }
        return [lines[kind] for kind in KINDS if kind in self.kinds]

    def wants_feed(self, feed_id: str, host: str) -> bool:
        """Whether the silence of this feed is told."""
        if "silence" not in self.kinds:
            return False
        wanted = not (self.feeds or self.sources)
        names = host.lower().removeprefix("www.").split(".")
        ends = {".".join(names[place:]) for place in range(len(names))}
        return wanted or feed_id in self.feeds or not ends.isdisjoint(self.sources)

    def wants_topic(self, topic: str) -> bool:
        """Whether bursts of this topic are told."""
        return "bursts" in self.kinds and (not self.topics or topic in self.topics)


def is_watch(query: str) -> bool:
    """Whether a subscription's query is one of these."""
    return _BEGIN.match(query) is not None


def check_watch(query: str) -> str:
    """The topics that are watched, as a query for articles. Raises QueryError."""
    return " OR ".join(f"topic:{one}" for one in sorted(parse_watch(query).topics))


def parse_watch(query: str) -> WatchQuery:
    """What ``query`` watches. Raises QueryError."""
    found: dict[str, set[str]] = {"watch": set(), "feed": set(), "source": set(), "topic": set()}
    for token in _TOKEN.finditer(query):
        name, colon, value = token.group().partition(":")
        if token.group().upper() in _JOINS:
            continue
        if not colon or not value or name.lower() not in found:
            raise QueryError(f"{token.group()} cannot be watched", hint=HINT, caret=token.start())
        found[name.lower()].add(value if name.lower() == "feed" else value.lower())
    if unknown := found["watch"].difference(KINDS):
        raise QueryError(f"watch:{min(unknown)} is unknown", hint=HINT, caret=0)
    return WatchQuery(
        kinds=frozenset(found["watch"]),
        feeds=frozenset(found["feed"]),
        sources=frozenset(found["source"]),
        topics=frozenset(found["topic"]),
    )

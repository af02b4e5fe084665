"""Records of ``stories`` for tests of index, search and alerts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.article import Article
from processors.records import Change, StoryRecord, TopicTag

SEEN = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def story(
    name: str,
    text: str = "",
    *,
    title: str = "",
    order: int = 0,
    seen: datetime = SEEN,
    change: Change = "new",
    story_id: str = "",
    topics: Sequence[str] = (),
    **more: Any,
) -> StoryRecord:
    """The record of the article ``name``; ``topics`` in the review band end with ``@review``."""
    fields = {"feed_id": "feed-one", "source": "example.org", "language": "en", "revision": 1}
    article = Article(
        id=name, title=title, text=text, seen=seen, published=seen, **{**fields, **more}
    )
    return StoryRecord(
        article=article,
        order=order,
        change=change,
        cause="live",
        fetched=seen,
        revised=seen,
        topics=tuple(map(tag, topics)),
        story_id=story_id or name,
    )


def tag(topic: str) -> TopicTag:
    name, _, review = topic.partition("@")
    return TopicTag(topic=name, version=1, score=0.9, band="review" if review else "tag")


def stories(count: int, text: str = "truce talks") -> list[StoryRecord]:
    """``count`` articles, one a minute, each with a word of its own."""
    return [
        story(
            f"article-{number:05}",
            f"{text} number{number}",
            order=number,
            seen=SEEN + timedelta(minutes=number),
        )
        for number in range(count)
    ]


def mixed_stories(
    chance: random.Random, *, words: Sequence[str], joints: Sequence[str], count: int
) -> list[StoryRecord]:
    """Articles of random words, many of them seen in the same millisecond."""

    def text(most: int) -> str:
        length = chance.randint(0, most)
        return "".join(chance.choice(words) + chance.choice(joints) for _ in range(length))

    return [
        story(
            "".join(chance.choices("abcXYZ019-_", k=22)),
            text(24),
            title=text(6),
            order=number,
            seen=SEEN + timedelta(milliseconds=chance.randint(0, 40)),
            story_id=f"story-{number // 3}",
            topics=chance.choice(((), ("truce",), ("arms@review",), ("truce", "arms"))),
            source=chance.choice(("bbc.co.uk", "news.bbc.co.uk", "abbc.co.uk", "example.org")),
            language=chance.choice(("", "en", "ar")),
            tags=chance.choice(((), ("World News",), ("x", "US"))),
            authors=chance.choice(((), ("Jane Doe",))),
        )
        for number in range(count)
    ]

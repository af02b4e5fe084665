"""Made-up news for the tests of grouping: same seed, same texts."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from ingest.article import Article, Cause, Sighting, content_hash

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)

_SYLLABLES = "bar den fol gim hul jor kam lin mer nop pel rus sat tev vor wex yil zan"
_FILLER = "the of and in to for on with said that was by from after officials told reporters"


def name(rng: random.Random) -> str:
    """A word that no background list knows."""
    return "".join(rng.choice(_SYLLABLES.split()) for _ in range(3))


def topic_words(rng: random.Random) -> list[str]:
    """The names of an event."""
    return [name(rng) for _ in range(14)]


def text_about(words: list[str], rng: random.Random, *, length: int = 60) -> str:
    """A text of ``length`` words about the event of ``words``."""
    mixed = [
        rng.choice(words) if rng.random() < 0.5 else rng.choice(_FILLER) for _ in range(length)
    ]
    return " ".join(mixed)


def sighting(
    article_id: str,
    text: str,
    *,
    title: str = "",
    feed: str = "feed-a",
    minutes: float = 0.0,
    cause: Cause = "live",
    published: datetime | None = None,
    groups: tuple[str, ...] = (),
) -> Sighting:
    """A sighting as a poller writes it; ``minutes`` after the start."""
    article = Article(
        id=article_id,
        feed_id=feed,
        feeds=(feed,),
        source=f"{feed}.example",
        canonical_url=f"https://news.example/{article_id}",
        title=title,
        text=text,
        published=published,
        groups=groups,
        content_hash=content_hash(title=title, text=text, canonical_url=article_id),
    )
    return Sighting(article=article, fetched=START + timedelta(minutes=minutes), cause=cause)


def newsroom(seed: int, count: int) -> list[Sighting]:
    """A stream with new articles, copies, edits, edits taken back and second feeds."""
    rng = random.Random(seed)
    events = [topic_words(rng) for _ in range(max(2, count // 8))]
    made: list[Sighting] = []
    texts: dict[str, list[str]] = {}
    for number in range(count):
        minutes = float(number)
        turn = rng.random()
        if not made or turn < 0.5:
            about = rng.choice(events)[:7] + rng.choice(events)[7:]
            name_, text = f"a{number}", text_about(about, rng)
            texts[name_] = [text]
            made.append(sighting(name_, text, feed=f"feed-{rng.randrange(3)}", minutes=minutes))
            continue
        old = rng.choice(made)
        known = texts[old.article.id]
        if turn < 0.62:
            name_ = f"a{number}"
            texts[name_] = [old.article.text]
            feed = f"feed-{rng.randrange(3)}"
            made.append(sighting(name_, old.article.text, feed=feed, minutes=minutes))
        elif turn < 0.74:
            known.append(known[-1] + f" update {name(rng)}")
            made.append(_again(old, known[-1], old.article.feed_id, minutes))
        elif turn < 0.82:
            made.append(_again(old, rng.choice(known), old.article.feed_id, minutes))
        elif turn < 0.92:
            made.append(_again(old, rng.choice(known), f"feed-{rng.randrange(3)}", minutes))
        else:
            made.append(old)
    return made


def _again(old: Sighting, text: str, feed: str, minutes: float) -> Sighting:
    return sighting(old.article.id, text, feed=feed, minutes=minutes)


def converging(seed: int) -> list[str]:
    """Texts of two stories that turn out to be one."""
    rng = random.Random(seed)
    shared, left, right = topic_words(rng), topic_words(rng), topic_words(rng)
    texts = [" ".join(shared[:5] + left[:9]) * 2, " ".join(shared[5:10] + right[:9]) * 2]
    return texts + [
        " ".join(rng.sample(shared, 10) + rng.sample(left[:9] + right[:9], 8)) for _ in range(10)
    ]

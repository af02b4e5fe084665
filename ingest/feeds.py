"""What we poll: the records of a feed, of its polling and of its entries; and its health.

Three records, three topics: ``feeds`` is written by people, ``feed-state`` and ``entries`` by the
one poller that owns the feed's shard (ARCHITECTURE sections 2 and 3).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from ingest.guard import check_url
from ingest.identity import feed_id
from ingest.wire import SCHEMA, Time

Condition = Literal["ok", "slow", "silent", "failing", "gone", "blocked", "not-a-feed"]
"""How a feed is, in one word; the sentence beside it says why."""

SHARDS = 32
"""Partitions of ``feeds`` in Kafka; a feed's shard is stored in it and never changes."""

MAX_STATE_BYTES = 4_000
"""Of an encoded ``FeedState``: it is written after every poll, so it must stay small."""

SILENT_GAPS = 10
"""A feed is silent after ten times its usual gap without news ..."""

SILENT_MINIMUM = timedelta(days=2)
"""... but not before two days: a quiet weekend is no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed somebody asked for: the record of ``feeds``.

    Attributes:
        id: Hash of the canonical URL; kept when the feed moves.
        url: As given, without its secret parts where ``secret_ref`` names them.
        title: As given in the list; the feed's own title is in its state.
        groups: OPML folders, ``Outer/Inner`` where nested.
        shard: Placed by host, so that one poller alone speaks to a host.
        secret_ref: Names the whole URL in the secret store; empty where nothing is secret.
        verify_tls: False where a person accepted this host's certificate as it is.
    """

    id: str
    url: str
    title: str = ""
    groups: tuple[str, ...] = ()
    added: Time
    shard: int = 0
    secret_ref: str = ""
    verify_tls: bool = True
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """Where polling of a feed stands: the record of ``feed-state``, at most 4 kB.

    Attributes:
        generation, counter: Of the owner that wrote it; a foreign, lower pair is stale.
        poll: Number of the last finished poll; an entry with a higher one was never sent.
        day: Days on which the feed was polled, counted up by one at most once a day whatever
            the clock says: the age of entries is counted in it.
        body_hash, entries: Of the last body read, so that equal bytes need not be read again.
        next_poll: None where polling has ended.
        advertised_seconds: The least time between polls that feed and host ask for.
        usual_gap_seconds: Between two pieces of news, averaged; 0 while unknown.
        failures: In a row.
        moved_to, moved_polls, moved_since: A permanent redirect that is being watched.
        followed_url: A permanent redirect that has been believed: polled instead of the feed's.
        gone_since: When polling ended; removing the feed and adding it again begins anew.
        distrusted: Its validators were caught hiding news; they are no longer sent.
    """

    feed_id: str
    generation: int = 0
    counter: int = 0
    poll: int = 0
    day: int = 0
    day_started: Time | None = None
    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    entries: int = 0
    next_poll: Time | None = None
    interval_seconds: float = 0.0
    advertised_seconds: float = 0.0
    usual_gap_seconds: float = 0.0
    failures: int = 0
    last_poll: Time | None = None
    last_ok: Time | None = None
    last_new: Time | None = None
    last_full_fetch: Time | None = None
    state: Condition = "ok"
    sentence: str = ""
    title: str = ""
    moved_to: str = ""
    moved_polls: int = 0
    moved_since: Time | None = None
    followed_url: str = ""
    gone_since: Time | None = None
    wait_until: Time | None = None
    distrusted: bool = False
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryState:
    """What an entry key of a feed stands for: the record of ``entries``.

    Attributes:
        hashes: Content hashes last seen under the key, the newest last; more than one only where
            the document holds several texts of one article.
        title, url, published, text_hash: Of the last text, to tell an edit from a reused guid.
        poll: The poll that sent it; above the feed's last finished poll it counts as not sent.
        day: Of the feed (``FeedState.day``) when it was last known to be in the document.
        changes: How often it was sent anew.
    """

    article_id: str
    hashes: tuple[str, ...] = ()
    title: str = ""
    url: str = ""
    published: Time | None = None
    text_hash: str = ""
    poll: int = 0
    day: int = 0
    changes: int = 0
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """A feed's health as people and programs see it (RECORDS, "feed health")."""

    feed_id: str
    url: str
    title: str
    state: Condition
    sentence: str
    last_new: Time | None
    last_ok: Time | None
    next_poll: Time | None
    usual_gap_seconds: float | None
    failures: int


def make_feed(url: str, *, added: datetime, title: str = "", groups: tuple[str, ...] = ()) -> Feed:
    """The feed at ``url``, checked.

    Raises:
        UsageError: ``url`` cannot be a feed's address; the sentence says why.
    """
    checked = checked_feed_url(url)
    return Feed(
        id=feed_id(checked),
        url=checked,
        title=" ".join(title.split())[:300],
        groups=groups,
        added=added,
        shard=shard_of(checked),
    )


def shard_of(url: str) -> int:
    """The shard of a feed at ``url``: by host, so that politeness is exact within a poller."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return hashlib.sha256(host.encode()).digest()[0] % SHARDS


def checked_feed_url(text: str) -> str:
    """``text`` as an http(s) address, ``https`` where no scheme is given.

    Raises:
        UsageError: it can be no feed's address.
    """
    url = text.strip(" \t\r\n")
    if url.lower().startswith("feed:"):
        url = url[5:].removeprefix("//")
    host = url.split("/", 1)[0].split(":", 1)[0]
    if "://" not in url and "." in host.strip("."):
        url = f"https://{url}"
    return check_url(url)


def health(feed: Feed, state: FeedState | None, *, now: datetime) -> FeedHealth:
    """How ``feed`` is at ``now``."""
    if state is None:
        state = FeedState(feed_id=feed.id, sentence="Not polled yet.")
    condition, sentence = state.state, state.sentence
    if condition == "ok" and is_silent(state, now=now):
        condition = "silent"
        sentence = (
            f"Nothing new since {_day(state.last_new)}; "
            f"usually something comes every {words(state.usual_gap_seconds)}."
        )
    return FeedHealth(
        feed_id=feed.id,
        url=feed.url,
        title=feed.title or state.title,
        state=condition,
        sentence=sentence,
        last_new=state.last_new,
        last_ok=state.last_ok,
        next_poll=state.next_poll,
        usual_gap_seconds=state.usual_gap_seconds or None,
        failures=state.failures,
    )


def is_silent(state: FeedState, *, now: datetime) -> bool:
    """Whether a feed that answers has brought no news for far longer than it usually takes."""
    if state.last_new is None or not state.usual_gap_seconds:
        return False
    limit = max(timedelta(seconds=SILENT_GAPS * state.usual_gap_seconds), SILENT_MINIMUM)
    return now - state.last_new > limit


def _day(moment: datetime | None) -> str:
    return moment.strftime("%d %B %Y") if moment else "ever"


_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def words(seconds: float) -> str:
    """``seconds`` as people say it, in one unit: ``3 hours``."""
    size, name = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    count = round(seconds / size)
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def entries_in_words(count: int) -> str:
    """``count`` entries as people say it: ``1 entry``."""
    return "1 entry" if count == 1 else f"{count} entries"


def bounded(state: FeedState) -> FeedState:
    """``state`` with every text short enough for 4 kB; a validator is dropped, never cut."""
    return dataclasses.replace(
        state,
        etag=_whole(state.etag, 400),
        last_modified=_whole(state.last_modified, 100),
        moved_to=_whole(state.moved_to, 600),
        followed_url=_whole(state.followed_url, 600),
        title=_cut(state.title, 300),
        sentence=_cut(state.sentence, 600),
    )


def _whole(text: str, most: int) -> str:
    return text if _size(text) <= most else ""


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    if _size(text) <= most:
        return text
    return _longest(text, lambda part: _size(part) <= most - 3) + "…"


def _longest(text: str, fits: Callable[[str], bool]) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
    return text[:low]


def _size(text: str) -> int:
    # A control character costs six bytes in JSON, a quotation mark two.
    return sum(6 if character < " " else 2 if character in '"\\' else 1 for character in text) + (
        len(text.encode(errors="replace")) - len(text)
    )

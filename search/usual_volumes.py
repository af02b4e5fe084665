"""How much usually comes of a feed or a topic, out of the index, asked no oftener than needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.feeds import FeedHealth
from processors.query import parse
from processors.query_tree import Query
from search import rhythms
from search.index import Index, SearchRequest
from search.rhythms import Volume

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)

FRESH = timedelta(minutes=10)
"""How long the usual volume of an hour counts for the minutes around it."""

LOOK_AGAIN = timedelta(minutes=30)
"""A silence that was nothing unusual is looked at again when it has lasted so much longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What a look at a silence, since an article, told."""

    began: datetime
    is_silent: bool
    quiet: timedelta


class UsualVolumes:
    """Judges silences and volumes. For one thread; ``index`` is asked for when it is needed."""

    def __init__(self, index: Callable[[], Index]) -> None:
        self._index = index
        self._looked: dict[str, _Looked] = {}
        self._usual: dict[str, tuple[datetime, tuple[int, ...]]] = {}

    def is_silent(self, feed: FeedHealth) -> bool:
        """Whether a feed is unusually silent, as of the last time that it answered.

        Raises:
            UnavailableError: the index is away.
        """
        if feed.state not in ("ok", "silent") or not feed.usual_gap_seconds:
            return False
        if feed.last_new is None or feed.last_ok is None:
            return False
        quiet = feed.last_ok - feed.last_new  # what came while nobody polled is not known
        if not rhythms.may_be_silent(quiet, feed.usual_gap_seconds):
            return False
        known = self._looked.get(feed.feed_id)
        if known and known.began == feed.last_new and known.is_silent:
            return True
        if known and known.began == feed.last_new and quiet < known.quiet + LOOK_AGAIN:
            return False
        found = rhythms.is_silent(quiet, self._weeks(feed.feed_id, feed.last_new, feed.last_ok))
        self._looked[feed.feed_id] = _Looked(began=feed.last_new, is_silent=found, quiet=quiet)
        return found

    def volume(self, topic: str, *, now: datetime) -> Volume:
        """What came of ``topic`` in the last hour, and what is usual. Raises UnavailableError."""
        everything = parse(f"seen:{rhythms.DAYS + 1}d", now=now)
        of_topic = parse(f"topic:{topic}")
        count = self._count(of_topic, now - HOUR, now)
        usual = self._usual_hour(of_topic, topic, now=now)
        all_usual = self._usual_hour(everything, "", now=now)
        others = [one - mine for one, mine in zip(all_usual, usual, strict=False)]
        lift = rhythms.lift_of(self._count(everything, now - HOUR, now) - count, others)
        return Volume(count=count, usual=usual, lift=lift)

    def _weeks(self, feed_id: str, begin: datetime, end: datetime) -> list[int]:
        """Articles of a feed in the same span of each week before that is known."""
        query = parse(f"feed:{feed_id}")
        first = self._first(query)
        shifts = [number * WEEK for number in range(1, rhythms.WEEKS + 1)]
        known = [one for one in shifts if first is not None and begin - one >= first]
        return [self._count(query, begin - one, end - one) for one in known]

    def _usual_hour(self, query: Query, name: str, *, now: datetime) -> tuple[int, ...]:
        asked, found = self._usual.get(name, (None, ()))
        if asked is not None and timedelta() <= now - asked < FRESH:
            return found
        first = self._first(parse(f"seen:{rhythms.DAYS + 1}d", now=now))
        days = [now - number * DAY for number in range(1, rhythms.DAYS + 1)]
        known = [one for one in days if first is not None and one - HOUR >= first]
        counts = tuple(self._count(query, one - HOUR, one) for one in known)
        self._usual[name] = now, counts
        return counts

    def _count(self, query: Query, since: datetime, until: datetime) -> int:
        asked = SearchRequest(query=query, since=since, until=until, size=1, highlights=False)
        return self._index().search(asked).total

    def _first(self, query: Query) -> datetime | None:
        """When the oldest article that ``query`` finds was seen."""
        asked = SearchRequest(query=query, sort="oldest", size=1, highlights=False)
        hits = self._index().search(asked).hits
        return hits[0].article.seen if hits else None

"""Tells operators of feeds that went silent and topics that burst, as ordinary alerts.

Once a minute, for the subscriptions of our shards that watch (``search.watch_queries``). A
silence is one episode from its last article on, which is in the feed's own record; a burst is
one from the minute it was found in, which is written down before it is told. So nothing is told
twice, whatever ends in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from urllib.parse import urlsplit

import structlog

from ingest.errors import WirewatchError
from ingest.feed_store import FeedStore
from ingest.feeds import FeedHealth, words
from ingest.log import Log, NewRecord
from ingest.wire import decode, encode, format_time
from search.alert_settings import AlertSettings
from search.alert_state import ALERT, TOPIC
from search.index import Index
from search.ownership import Ownership, Whole
from search.rhythms import Volume
from search.subscription_store import TOPIC as SUBSCRIPTIONS
from search.subscriptions import Subscription
from search.usual_volumes import UsualVolumes
from search.watch_alerts import Episode, Unusual, episode_key, unusual_alert, unusual_id
from search.watch_queries import WatchQuery, is_watch, parse_watch

EVERY_SECONDS = 60.0

_Watching: TypeAlias = Sequence[tuple[Subscription, WatchQuery]]

_events = structlog.get_logger(__name__)


class Watchfulness:
    """Looks at feeds and topics, and claims alerts. For one thread.

    ``index`` is asked for only where somebody watches. ``wake`` as that of ``AlertOwner``.
    """

    def __init__(
        self,
        log: Log,
        *,
        feeds: FeedStore,
        index: Callable[[], Index],
        settings: AlertSettings,
        shards: Ownership | None = None,
        wake: Callable[[Sequence[str]], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._feeds = feeds
        self._settings = settings
        self._shards = shards or Whole()
        self._wake = wake
        self._clock = clock
        self._usual = UsualVolumes(index)

    def run(self, stop: threading.Event) -> None:
        """Look every minute until ``stop`` is set."""
        while not stop.wait(EVERY_SECONDS):
            try:
                self.step()
            except WirewatchError as error:
                _events.warning("stage waits", stage="watch", reason=error.sentence)

    def step(self) -> int:
        """Look once; how many alerts were claimed.

        Raises:
            UnavailableError: the log or the index is away; nothing is lost by it.
        """
        held = dict(self._shards.held())
        watching = [one for one in self._watching() if self._shard(one[0]) in held]
        if not watching:
            return 0
        now = self._clock()
        made = [*self._silences(watching, now), *self._bursts(watching, now)]
        made = [one for one in made if self._shards.holds(*_claim(one, held))]
        if made:
            self._log.append(made)
        alerts = [one.key.removeprefix(ALERT) for one in made if one.key.startswith(ALERT)]
        self._wake(alerts)
        return len(alerts)

    def _watching(self) -> Iterator[tuple[Subscription, WatchQuery]]:
        for record in self._log.table(SUBSCRIPTIONS).items():
            if record.value is None or b"watch:" not in record.value:
                continue
            one = decode(Subscription, record.value)
            if is_watch(one.query) and not one.paused:
                yield one, parse_watch(one.query)

    def _shard(self, subscription: Subscription) -> int:
        return subscription.shard % self._log.partitions(TOPIC)

    def _silences(self, watching: _Watching, now: datetime) -> Iterator[NewRecord]:
        if not any("silence" in query.kinds for _, query in watching):
            return
        for feed in self._feeds.health(now=now):
            host = urlsplit(feed.url).hostname or ""
            wanted = [one for one, query in watching if query.wants_feed(feed.feed_id, host)]
            if not wanted or feed.last_new is None or feed.last_ok is None:
                continue
            if not self._usual.is_silent(feed):
                continue
            found = _silence(feed, began=feed.last_new, quiet=feed.last_ok - feed.last_new)
            for one in wanted:
                yield from self._claimed(one, found, now=now)

    def _bursts(self, watching: _Watching, now: datetime) -> Iterator[NewRecord]:
        if not any("bursts" in query.kinds for _, query in watching):
            return
        topics = {one.key.rpartition(".")[0] for one in self._log.table("topics").items()}
        for topic in sorted(topics):
            wanted = [one for one, query in watching if query.wants_topic(topic)]
            if not wanted:
                continue
            volume = self._usual.volume(topic, now=now)
            for one in wanted:
                yield from self._burst(one, topic, volume, now=now)

    def _burst(
        self, subscription: Subscription, topic: str, volume: Volume, *, now: datetime
    ) -> Iterator[NewRecord]:
        """The records of an episode that begins, goes on or ends."""
        key, shard = episode_key(subscription.id, topic), self._shard(subscription)
        record = self._log.table(TOPIC).get(key)
        if record is None or record.value is None:
            if not volume.is_burst:
                return
            episode = Episode(began=_to_milliseconds(now))
            # Before its alert: after a crash in between the alert is claimed with the same id.
            yield NewRecord(topic=TOPIC, key=key, value=encode(episode), partition=shard)
        else:
            episode = decode(Episode, record.value)
            if volume.is_over:
                yield NewRecord(topic=TOPIC, key=key, value=None, partition=shard)
                return
        yield from self._claimed(subscription, _bursting(topic, volume, episode.began), now=now)

    def _claimed(
        self, subscription: Subscription, found: Unusual, *, now: datetime
    ) -> Iterator[NewRecord]:
        """The alert, unless it was claimed before."""
        key = ALERT + unusual_id(subscription, found)
        if self._log.table(TOPIC).get(key) is not None:
            return
        link_base = self._settings.link_base
        made = unusual_alert(subscription, found, link_base=link_base, now=now)
        shard = self._shard(subscription)
        yield NewRecord(topic=TOPIC, key=key, value=encode(made), partition=shard)


def _silence(feed: FeedHealth, *, began: datetime, quiet: timedelta) -> Unusual:
    name = feed.title or feed.url
    usual = words(feed.usual_gap_seconds or 0)
    return Unusual(
        kind="feed.silent",
        what=feed.feed_id,
        began=began,
        sentence=f"{name} has brought nothing new for {words(quiet.total_seconds())}; "
        f"usually something comes every {usual}.",
        path="/feeds",
        source=(urlsplit(feed.url).hostname or "").removeprefix("www."),
        numbers={
            "quiet_seconds": round(quiet.total_seconds()),
            "usual_gap_seconds": round(feed.usual_gap_seconds or 0),
            "last_new": format_time(began),
        },
    )


def _bursting(topic: str, volume: Volume, began: datetime) -> Unusual:
    expected = round(volume.expected, 1)
    return Unusual(
        kind="topic.burst",
        what=topic,
        began=began,
        sentence=f"{topic}: {volume.count:,} articles in the last hour; "
        f"about {expected:.0f} are usual at this time of day.",
        path=f"/topics/{topic}",
        numbers={
            "count": volume.count,
            "usual": expected,
            "threshold": round(volume.threshold, 1),
            "days": len(volume.usual),
        },
    )


def _claim(record: NewRecord, held: Mapping[int, int]) -> tuple[int, int]:
    """The shard of ``record`` and since when it is ours: what ``Ownership.holds`` asks."""
    shard = record.partition or 0
    return shard, held[shard]


def _to_milliseconds(moment: datetime) -> datetime:
    """As it is written: the alert's id is made of it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

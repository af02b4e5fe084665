"""Which alerts a story record calls for: one a subscription and story, claimed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.clean import cut
from ingest.log import NewRecord, Record, Table
from ingest.wire import decode, encode
from processors.links import Links
from processors.records import StoryRecord
from search.alert_state import ALERT, COUNTED, TOPIC, Alert, Counted, alert_id
from search.subscriptions import Subscription

TITLE_CHARS = 300
"""Of the article's title, in lists of alerts; the payload has all of it."""

RECOUNT = timedelta(days=1)
"""A busy story renews the life of its claim once a day, not with every article."""

ALERTING_CAUSES = ("live", "fulltext")
ALERTING_CHANGES = ("new", "revision")

_CAUSES = {
    "first-poll": "it was old, or undated, when its feed was polled for the first time",
    "replay": "it came from a replay, which alerts nobody",
    "backfill": "it came from a backfill that another subscription asked for",
}


def silence(story: StoryRecord) -> str:
    """Why ``story`` alerts nobody, whatever it says; empty where it may."""
    if story.cause not in ALERTING_CAUSES:
        return _CAUSES.get(story.cause, f"its cause is {story.cause}")
    if story.change not in ALERTING_CHANGES:
        return "only its feeds, topics or links changed, not what the publisher says"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A subscription that matched, and the story it is claimed under."""

    subscription: Subscription
    story: StoryRecord
    now: datetime


class Claims:
    """The claims of ``alert-state``, those not yet written included.

    Args:
        table: ``alert-state``, which has ``partitions``.
        links: Merges of stories, kept up to date by the caller.
    """

    def __init__(self, table: Table, links: Links, *, partitions: int) -> None:
        self._table = table
        self._links = links
        self._partitions = partitions
        self._fresh: set[str] = set()
        self._asked: set[str] = set()
        self._found: dict[str, Record] = {}

    def begin(self) -> None:
        """All that ``claim`` gave is durable; what others wrote since then counts."""
        for known in (self._fresh, self._asked, self._found):
            known.clear()

    def expect(self, matches: Iterable[Match]) -> None:
        """Read all that ``matches`` may be claimed under, in one go: on Kafka each costs 1 ms."""
        matches = list(matches)
        ids = {one for match in matches for one in self._ids(match)} - self._asked
        if not ids:
            return
        counted_before = max(match.now for match in matches) - RECOUNT
        self._asked |= ids
        found = self._table.many([ALERT + one for one in ids])
        self._found |= found
        old = [
            COUNTED + key.removeprefix(ALERT)
            for key, record in found.items()
            if record.appended < counted_before
        ]
        if old:
            self._found |= self._table.many(old)

    def claim(self, match: Match, payload: Callable[[str], str]) -> NewRecord | None:
        """The alert for ``match``, to be appended; None where it has been claimed and is young.

        A claim on any story merged into this one counts. ``payload`` gives the body for an id.
        """
        ids = self._ids(match)
        if not self._asked.issuperset(ids):
            self.expect([match])
        if not self._fresh.isdisjoint(ids):
            return None
        shard = match.subscription.shard % self._partitions
        for known in ids:
            record = self._found.get(ALERT + known)
            if record is not None:
                return self._recounted(known, record, match.now)
        made = _record(ALERT + ids[0], _alert(match, ids[0], payload(ids[0])), shard)
        self._fresh.add(ids[0])  # not where its payload failed: another article may still alert
        return made

    def _ids(self, match: Match) -> list[str]:
        """The alert's id, under the oldest story; then the ids under those merged into it."""
        story = match.story
        oldest = self._links.resolve(story.story_id)
        merged = (oldest, story.story_id, *story.absorbed, *self._links.absorbed(oldest))
        article = story.article.id if match.subscription.every_article else ""
        return [alert_id(match.subscription.id, one, article) for one in dict.fromkeys(merged)]

    def _recounted(self, known: str, record: Record, now: datetime) -> NewRecord | None:
        last = record.appended
        if now - last > RECOUNT:
            counted = self._found.get(COUNTED + known)
            last = counted.appended if counted else last
        if now - last <= RECOUNT:
            return None
        shard = record.partition.number
        return _record(COUNTED + known, Counted(alert_id=known, at=now), shard)


def outlived(table: Table, *, before: datetime) -> Iterator[list[NewRecord]]:
    """Tombstones for each alert that is done and has not counted since ``before``.

    One list, mostly empty, for each alert looked at: the caller decides how many at a time, and
    whether the shard is its own.
    """
    for record in table.items(ALERT):
        if record.appended >= before:
            yield []
            continue
        alert = decode(Alert, record.value or b"")
        counted = table.get(COUNTED + alert.alert_id)
        if alert.state in ("waiting", "held") or (counted and counted.appended >= before):
            yield []
            continue
        keys = (ALERT + alert.alert_id, COUNTED + alert.alert_id)
        shard = record.partition.number
        yield [NewRecord(topic=TOPIC, key=key, value=None, partition=shard) for key in keys]


def _alert(match: Match, made_id: str, payload: str) -> Alert:
    subscription, story = match.subscription, match.story
    return Alert(
        alert_id=made_id,
        owner=subscription.owner,
        subscription=subscription.id,
        subscription_name=subscription.name,
        article_id=story.article.id,
        story_id=story.story_id,
        title=cut(story.article.title, TITLE_CHARS),
        created=match.now,
        pending=subscription.to,
        next_attempt=match.now,
        payload=payload,
    )


def _record(key: str, value: Alert | Counted, shard: int) -> NewRecord:
    return NewRecord(topic=TOPIC, key=key, value=encode(value), partition=shard)

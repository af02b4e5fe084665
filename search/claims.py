"""Which alerts a story record calls for: one a subscription and story, claimed once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingest.clean import cut
from ingest.log import NewRecord, Record, Table
from ingest.wire import decode, encode
from processors.links import Links
from processors.records import StoryRecord
from search.alert_state import (
    ALERT,
    COUNTED,
    TOPIC,
    Alert,
    AlertType,
    Counted,
    alert_id,
    update_id,
)
from search.deliveries import size_step
from search.mutes import Mutes
from search.pace import Pace
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


Body = Callable[[str, AlertType], str]
"""Gives the payload of an alert for its id and type."""


class Claims:
    """The claims of ``alert-state``, those not yet written included.

    Args:
        table: ``alert-state``, which has ``partitions``.
        links: Merges of stories, kept up to date by the caller.
        pace: Says which alerts are held.
        mutes: Says which are never sent.
    """

    def __init__(
        self, table: Table, links: Links, *, partitions: int, pace: Pace, mutes: Mutes
    ) -> None:
        self._table = table
        self._links = links
        self._partitions = partitions
        self._pace = pace
        self._mutes = mutes
        self._fresh: dict[str, int] = {}
        """The size of its story, by the id of each alert that is not in the log yet."""
        self._asked: set[str] = set()
        self._found: dict[str, Record] = {}

    def begin(self) -> None:
        """All that ``claim`` gave is durable; what others wrote since then counts."""
        self._fresh.clear()
        self._asked.clear()
        self._found.clear()

    def expect(self, matches: Iterable[Match]) -> None:
        """Read all that ``matches`` may be claimed under, in one go: on Kafka each costs 1 ms."""
        matches = list(matches)
        ids = {
            one for match in matches for one in (*self._ids(match), *self._updates(match))
        } - self._asked
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

    def claim(self, match: Match, body: Body) -> NewRecord | None:
        """The alert for ``match``, to be appended; None where it has been claimed and is young.

        A claim on any story merged into this one counts.
        """
        ids = self._ids(match)
        if not self._asked.issuperset(ids):
            self.expect([match])
        for known in ids:
            if known in self._fresh:
                return self._update(match, body, since=self._fresh[known])
            record = self._found.get(ALERT + known)
            if record is not None:
                since = _size_at(record) if match.subscription.story_updates else 0
                update = self._update(match, body, since=since)
                return update or self._recounted(known, record, match.now)
        return self._claimed(match, ids[0], body, "article.matched")

    def _update(self, match: Match, body: Body, *, since: int) -> NewRecord | None:
        """That a story has grown much ``since`` its size when it was claimed, said once."""
        ids = self._updates(match)
        told = any(one in self._fresh or ALERT + one in self._found for one in ids)
        if not ids or told or size_step(match.story.size) <= since:
            return None
        return self._claimed(match, ids[0], body, "story.grew")

    def _claimed(self, match: Match, made_id: str, body: Body, kind: AlertType) -> NewRecord:
        alert = replace(_alert(match, made_id), type=kind, payload=body(made_id, kind))
        self._fresh[made_id] = match.story.size  # not where its payload failed: see ``claim``
        if self._mutes.covers(match.subscription.id, self._stories(match)):
            alert = replace(alert, state="muted", next_attempt=None)
        elif hold := self._pace.hold(match.subscription, match.now):
            alert = replace(alert, state="held", held_for=hold.why, next_attempt=hold.until)
        shard = match.subscription.shard % self._partitions
        return _record(ALERT + made_id, alert, shard)

    def _stories(self, match: Match) -> list[str]:
        """The ids of the story, the oldest first, and of those merged into it."""
        story = match.story
        oldest = self._links.resolve(story.story_id)
        merged = (oldest, story.story_id, *story.absorbed, *self._links.absorbed(oldest))
        return list(dict.fromkeys(merged))

    def _ids(self, match: Match) -> list[str]:
        """The alert's id, under the oldest story; then the ids under those merged into it."""
        subscription = match.subscription
        article = match.story.article.id if subscription.every_article else ""
        return [alert_id(subscription.id, one, article) for one in self._stories(match)]

    def _updates(self, match: Match) -> list[str]:
        """As ``_ids``, of the update that the story's size calls for, if its article is new.

        A copy calls for none: it adds nothing to read. Nor does an edited article (row F23).
        """
        subscription, story = match.subscription, match.story
        if not subscription.story_updates or subscription.every_article:
            return []
        step = size_step(story.size)
        if not step or story.change != "new" or story.copy_of:
            return []
        return [update_id(subscription.id, one, step) for one in self._stories(match)]

    def _recounted(self, known: str, record: Record, now: datetime) -> NewRecord | None:
        last = record.appended
        if now - last > RECOUNT:
            counted = self._found.get(COUNTED + known)
            last = counted.appended if counted else last
        if now - last <= RECOUNT:
            return None
        shard = record.partition.number
        return _record(COUNTED + known, Counted(alert_id=known, at=now), shard)


def recent(table: Table, shards: Collection[int], *, since: datetime) -> Iterator[Alert]:
    """The alerts of ``shards`` of which something was written after ``since``."""
    for record in table.items(ALERT):
        if record.partition.number in shards and record.appended > since:
            yield decode(Alert, record.value or b"")


def _size_at(record: Record) -> int:
    return max(1, decode(Alert, record.value or b"").story_size)


def _alert(match: Match, made_id: str) -> Alert:
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
        story_size=story.size,
    )


def _record(key: str, value: Alert | Counted, shard: int) -> NewRecord:
    return NewRecord(topic=TOPIC, key=key, value=encode(value), partition=shard)

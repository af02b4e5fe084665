"""Which stories a subscription wants to hear nothing more of: ``mute:`` of our shards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ingest.log import Log, NewRecord, Record
from ingest.wire import decode, encode
from search.alert_state import TOPIC, Mute, mute_key
from search.merges import Merges
from search.outbox import Outbox
from search.timeline import SUBSCRIPTIONS


@dataclass(frozen=True, slots=True)
class _Wish:
    subscription: str
    story_id: str
    is_muted: bool


class Mutes:
    """What is muted in our shards. For one thread, apart from ``wish``."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._shards: dict[tuple[str, str], int] = {}
        self._wishes: deque[_Wish] = deque()

    def add(self, stored: Iterable[Record]) -> None:
        """Take in what is muted in shards that came to us."""
        for record in stored:
            if record.value is not None:
                one = decode(Mute, record.value)
                self._shards[one.subscription, one.story_id] = record.partition.number

    def drop(self, shards: Collection[int]) -> None:
        """Forget what belongs to ``shards``."""
        self._shards = {one: shard for one, shard in self._shards.items() if shard not in shards}

    def clear(self) -> None:
        """Forget it all, but no wish: it is read again."""
        self._shards.clear()

    def covers(self, subscription_id: str, story_ids: Iterable[str]) -> bool:
        """Whether one of a story's ids is muted for a subscription."""
        return any((subscription_id, one) in self._shards for one in story_ids)

    def removed(self, subscription_id: str, outbox: Outbox) -> None:
        """Forget all that was muted for a subscription that is no more."""
        for one in [one for one in self._shards if one[0] == subscription_id]:
            shard, key = self._shards.pop(one), mute_key(*one)
            outbox.add(NewRecord(topic=TOPIC, key=key, value=None, partition=shard))

    def wish(self, subscription_id: str, story_id: str, *, is_muted: bool) -> None:
        """Have a story muted, or heard of again, by ``fulfil``. Safe from any thread."""
        self._wishes.append(_Wish(subscription_id, story_id, is_muted))

    def fulfil(
        self, log: Log, merges: Merges, outbox: Outbox
    ) -> Iterator[tuple[str, Collection[str]]]:
        """Write what was wished, where it is ours; gives each subscription and the muted ids.

        Raises:
            UnavailableError: the wish stays.
        """
        while self._wishes:
            wish = self._wishes[0]
            record = log.table(SUBSCRIPTIONS).get(wish.subscription)
            shard = record.partition.number if record is not None else -1
            if shard in outbox.held:
                merges.read()
                oldest = merges.links.resolve(wish.story_id)
                stories = {oldest, wish.story_id, *merges.links.absorbed(oldest)}
                for story_id in (wish.story_id,) if wish.is_muted else sorted(stories):
                    outbox.add(self._record(wish, story_id, shard))
                outbox.append()
                if wish.is_muted:
                    yield wish.subscription, stories
            self._wishes.popleft()

    def _record(self, wish: _Wish, story_id: str, shard: int) -> NewRecord:
        name, key = wish.subscription, mute_key(wish.subscription, story_id)
        if wish.is_muted:
            self._shards[name, story_id] = shard
            value = encode(Mute(subscription=name, story_id=story_id, at=self._clock()))
            return NewRecord(topic=TOPIC, key=key, value=value, partition=shard)
        self._shards.pop((name, story_id), None)
        return NewRecord(topic=TOPIC, key=key, value=None, partition=shard)

"""Which names are taken, and by whom: follows the topic ``subscriptions``."""

from __future__ import annotations

import threading

from ingest.log import Log, Partition
from ingest.wire import decode
from search.caller import Caller
from search.subscriptions import Subscription

TOPIC = "subscriptions"

Key = tuple[str, str]


class Names:
    """Ids by owner and name, as the log has them now. For any thread.

    Only what was appended since the last look is read, so that the hundred thousandth
    subscription is added as fast as the first (row F47).
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._next: dict[Partition, int] = {}
        self._keys: dict[str, Key] = {}
        self._ids: dict[Key, str] = {}
        self._reading = threading.Lock()

    def find(self, name: str, *, who: Caller) -> str | None:
        """The id of what ``who`` calls ``name``; of another's only where they may see it."""
        folded = name.casefold()
        with self._reading:
            self._read()
            if own := self._ids.get((who.owner, folded)):
                return own
            seen = (key for key in self._ids if key[1] == folded and who.sees(key[0]))
            return next((self._ids[key] for key in sorted(seen)), None)

    def taken(self, name: str, *, owner: str, besides: str = "") -> bool:
        """Whether a subscription of ``owner`` other than ``besides`` has this name."""
        with self._reading:
            self._read()
            return self._ids.get((owner, name.casefold()), besides) != besides

    def ids(self, *, who: Caller, after: str = "") -> list[str]:
        """The ids of all that ``who`` may see, behind ``after``, in order."""
        with self._reading:
            self._read()
            keys = self._keys.items()
            return sorted(one for one, key in keys if one > after and who.sees(key[0]))

    def _read(self) -> None:
        parts = [Partition(TOPIC, number) for number in range(self._log.partitions(TOPIC))]
        for part, end in self._log.ends(parts).items():
            while (at := self._next.get(part, 0)) < end:
                records = self._log.read(part, at)
                for record in records:
                    self._note(record.key, record.value)
                self._next[part] = records[-1].offset + 1 if records else end

    def _note(self, subscription_id: str, value: bytes | None) -> None:
        before = self._keys.pop(subscription_id, None)
        if before is not None and self._ids.get(before) == subscription_id:
            del self._ids[before]
        if value is not None:
            one = decode(Subscription, value)
            key = (one.owner, one.name.casefold())
            self._keys[subscription_id] = key
            self._ids[key] = subscription_id

"""Which names are taken, and by whom: follows the topic ``subscriptions``."""

from __future__ import annotations

import threading

from ingest.log import Log, Partition
from ingest.wire import decode
from search.caller import Caller
from search.subscriptions import Subscription

TOPIC = "subscriptions"


class Names:
    """Ids by owner and name, as the log has them now. For any thread.

    Only what was appended since the last look is read, so that the hundred thousandth
    subscription is added as fast as the first (row F47).
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._next: dict[Partition, int] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        self._owners: dict[str, dict[str, str]] = {}
        self._reading = threading.Lock()

    def find(self, name: str, *, who: Caller) -> str | None:
        """The id of what ``who`` calls ``name``; of another's only where they may see it."""
        folded = name.casefold()
        with self._reading:
            self._read()
            owners = self._owners.get(folded, {})
            seen = [owners[one] for one in sorted(owners) if who.sees(one)]
            return owners.get(who.owner) or next(iter(seen), None)

    def taken(self, name: str, *, owner: str, besides: str = "") -> bool:
        """Whether a subscription of ``owner`` other than ``besides`` has this name."""
        with self._reading:
            self._read()
            return self._owners.get(name.casefold(), {}).get(owner, besides) != besides

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
        if (before := self._keys.pop(subscription_id, None)) is not None:
            owners = self._owners[before[1]]
            if owners.get(before[0]) == subscription_id:
                del owners[before[0]]
            if not owners:
                del self._owners[before[1]]
        if value is not None:
            one = decode(Subscription, value)
            owner, folded = self._keys[subscription_id] = one.owner, one.name.casefold()
            self._owners.setdefault(folded, {})[owner] = subscription_id

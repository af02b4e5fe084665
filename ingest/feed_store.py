"""The feed list over the log: add, import, remove, list with health."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ingest.entry_store import EntryStore
from ingest.errors import NotFoundError, UsageError
from ingest.feed_list import ListReport, read_feed_list
from ingest.feed_secrets import Vault, hidden, shown
from ingest.feeds import (
    Feed,
    FeedHealth,
    FeedState,
    checked_feed_url,
    health,
    make_feed,
)
from ingest.identity import feed_id
from ingest.log import Log, NewRecord
from ingest.opml import write_opml
from ingest.wire import decode, encode


class FeedStore:
    """The ``feeds`` topic as a list. Only the process that owns the data folder writes it.

    Whole addresses that hold a secret go to ``vault``; without one they are kept as given.
    """

    def __init__(self, log: Log, *, vault: Vault | None = None) -> None:
        self._log = log
        self._vault = vault

    def all(self) -> list[Feed]:
        """Every feed, by id."""
        return [
            decode(Feed, record.value)
            for record in self._log.table("feeds").items()
            if record.value is not None
        ]

    def get(self, wanted: str) -> Feed:
        """One feed. Raises NotFoundError."""
        record = self._log.table("feeds").get(wanted)
        if record is None or record.value is None:
            raise NotFoundError(f"there is no feed {wanted}", hint="See: wirewatch feeds list")
        return decode(Feed, record.value)

    def named(self, feed: str) -> Feed:
        """One feed, by id or address. Raises NotFoundError."""
        with contextlib.suppress(UsageError):
            return self.get(feed_id(checked_feed_url(feed)))
        return self.get(feed)

    def add(self, url: str, *, title: str = "", groups: Sequence[str] = ()) -> Feed:
        """The feed at ``url``, now polled. Raises UsageError where it is there already."""
        feed = make_feed(url, added=datetime.now(UTC), title=title, groups=tuple(groups))
        if self._log.table("feeds").get(feed.id) is not None:
            raise UsageError(
                f"{shown(feed.url)} is in the list already", hint="See: wirewatch feeds health"
            )
        feed = self._hidden(feed)
        self._log.append([self._record(feed, encode(feed))])
        return feed

    def import_list(self, data: bytes | str, *, name: str) -> ListReport:
        """Add every feed of an OPML document or a list of URLs: all of it, or nothing.

        Raises:
            FileError: the list cannot be read; nothing was added.
        """
        known = {record.key for record in self._log.table("feeds").items()}
        found = read_feed_list(data, name, added=datetime.now(UTC), known=known)
        found = dataclasses.replace(
            found,
            added=tuple(map(self._hidden, found.added)),
            skipped=tuple(map(shown, found.skipped)),
        )
        if found.added:
            self._log.append([self._record(feed, encode(feed)) for feed in found.added])
        return found

    def remove(self, wanted: str) -> Feed:
        """Stop polling a feed; its articles stay. Raises NotFoundError.

        What polling knew of it goes too: added again, it is a new feed with a first poll, whose
        old entries alert nobody.
        """
        feed = self.get(wanted)
        self._log.append([self._record(feed, None), *traces(self._log, feed)])
        return feed

    def opml(self) -> str:
        """The list as OPML."""
        return write_opml(self.all())

    def health(self, *, now: datetime, after: str = "") -> Iterator[FeedHealth]:
        """How every feed is, by id; only those behind the id ``after``."""
        states = self._log.table("feed-state")
        for known in self._log.table("feeds").items():
            if known.key <= after or known.value is None:
                continue
            record = states.get(known.key)
            state = decode(FeedState, record.value) if record and record.value else None
            yield health(decode(Feed, known.value), state, now=now)

    def _record(self, feed: Feed, value: bytes | None) -> NewRecord:
        number = feed.shard % self._log.partitions("feeds")
        return NewRecord(topic="feeds", key=feed.id, value=value, partition=number)

    def _hidden(self, feed: Feed) -> Feed:
        return hidden(feed, self._vault) if self._vault else feed


def traces(log: Log, feed: Feed) -> list[NewRecord]:
    """The records that remove what polling knows of ``feed``."""
    entries = EntryStore(log)
    found = entries.records(feed, {}, [key for key, _ in entries.items(feed)])
    if log.table("feed-state").get(feed.id) is not None:
        number = feed.shard % log.partitions("feed-state")
        found.append(NewRecord(topic="feed-state", key=feed.id, value=None, partition=number))
    return found

"""One poll of one feed: a conditional request, its answer, and the records to write.

What a feed or its host does raises nothing here: it is in the state that comes out.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

from ingest import outcomes, refusals, schedule
from ingest.answer import is_success
from ingest.article import Sighting
from ingest.assembly import assemble, expired
from ingest.entry_store import EntryStore
from ingest.errors import BlockedAddressError, FeedError, UnreadableError
from ingest.feed_secrets import without_secrets
from ingest.feeds import Condition, Feed, FeedState
from ingest.fetch import Fetcher
from ingest.findings import Fetched, answer_of, body_hash, same_answer
from ingest.guard import split_credentials
from ingest.log import MAX_RECORD_BYTES, NewRecord
from ingest.politeness import HostSlots
from ingest.quarantine import Quarantine
from ingest.reading import ReadFeed, Reading, header, read_answer
from ingest.retry_after import parse_retry_after
from ingest.settings import ArticleLimits, PollSettings
from ingest.wire import encode

QUARANTINE_EVERY = 10
"""Of so many failures in a row one body is set aside: login pages differ at every request."""

_TESTED = frozenset(
    {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)
"""Statuses under which sites send their test for browsers, which says more than the status."""


class Sandboxes(Protocol):
    """Where feeds are read: see ``ingest.sandbox``."""

    async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
        """The reader's answer. Raises UnreadableError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one poll gave.

    Attributes:
        state: To be written after ``records``, and only once these are durable.
        records: Entries, then articles, then what was set aside.
        failed: No usable body.
    """

    state: FeedState
    records: tuple[NewRecord, ...] = ()
    entries: int = 0
    unchanged: int = 0
    sightings: int = 0
    limited: int = 0
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Polling:
    """Polls one feed at a time; all that polls share.

    Attributes:
        connections: How many polls may hold a body at once.
        clock: Wall clock, aware; for what is written, never for waiting.
        chance: Random numbers in [0, 1).
        resolve: The whole URL of a feed, secrets included.
        crash_point: Called with ``K1`` after each fetch; the crash harness kills there.
    """

    entries: EntryStore
    fetcher: Fetcher
    slots: HostSlots
    sandboxes: Sandboxes
    quarantine: Quarantine
    settings: PollSettings
    connections: asyncio.Semaphore
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    limits: ArticleLimits = field(default_factory=ArticleLimits)
    first_poll_hours: float = 24.0
    resolve: Callable[[Feed], str] = lambda feed: feed.url
    crash_point: Callable[[str], None] = lambda _: None

    async def poll(
        self, feed: Feed, state: FeedState, *, kept: AsyncExitStack, sweep: bool = False
    ) -> Polled:
        """Poll ``feed`` as soon as its host and then a connection are free.

        The connection stays taken until ``kept`` is closed, so that bodies and records waiting
        for the disk are bounded. ``sweep`` also looks for entry records to remove.
        """
        try:
            whole = self.resolve(feed)
        except FeedError as error:
            return self._failed(state, error)
        url = schedule.address(feed, state, url=whole)
        polled = await self._attempt(feed, state, url, kept, sweep=sweep)
        records = polled.records
        if polled.state.failures > state.failures:  # tried in vain, and not only held back
            reopen = self.quarantine.failed_again
            records = await asyncio.to_thread(reopen, "poll", feed.id, now=self.clock(), to=records)
        after = without_secrets(polled.state, whole)
        return dataclasses.replace(polled, state=after, records=records)

    async def _attempt(
        self, feed: Feed, state: FeedState, url: str, kept: AsyncExitStack, *, sweep: bool
    ) -> Polled:
        try:
            fetched = await self._fetch(feed, state, url, kept)
        except BlockedAddressError as error:
            return self._failed(state, error, condition="blocked")
        except FeedError as error:
            held = self.slots.held_seconds(url) if error.code == "held" else 0.0
            if held:
                return self._held_back(state, held)
            return self._failed(state, error)
        self.crash_point("K1")
        return await self._judge(feed, state, fetched, sweep=sweep)

    async def _fetch(self, feed: Feed, state: FeedState, url: str, kept: AsyncExitStack) -> Fetched:
        bare, user, password = split_credentials(url)
        full = schedule.wants_full_fetch(state, now=self.clock(), settings=self.settings)
        async with self.slots.turn(bare):
            # The host's turn first: five hundred feeds of one slow host must not hold all
            # connections while they queue for its one.
            await kept.enter_async_context(self.connections)
            started = time.monotonic()
            result = await self.fetcher.fetch(
                bare,
                etag="" if full else state.etag,
                last_modified="" if full else state.last_modified,
                credentials=(user, password) if user or password else None,
                verify_tls=feed.verify_tls,
            )
        known = bool(state.etag or state.last_modified) and not state.distrusted
        seconds = time.monotonic() - started
        return Fetched(result=result, at=self.clock(), seconds=seconds, forced=full and known)

    async def _judge(
        self, feed: Feed, state: FeedState, fetched: Fetched, *, sweep: bool
    ) -> Polled:
        result = fetched.result
        if result.not_modified:
            return self._unchanged(state, fetched, entries=0)
        if is_success(result.status):
            if body_hash(result.body) == state.body_hash and not fetched.forced and not sweep:
                return self._unchanged(state, fetched, entries=state.entries)
            return await self._read(feed, state, fetched, sweep=sweep)
        return await self._refused(feed, state, fetched)

    async def _refused(self, feed: Feed, state: FeedState, fetched: Fetched) -> Polled:
        status, body = fetched.result.status, fetched.result.body
        if status == HTTPStatus.GONE:
            return Polled(state=outcomes.gone(state, at=fetched.at), failed=True)
        if body and status in _TESTED:
            try:
                await self._parse(feed, fetched)
            except FeedError as error:
                if error.code == "blocked-by-challenge":
                    self._heed(fetched)
                    return await self._set_aside(feed, state, fetched, error)
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return self._wait(state, fetched)
        condition, sentence = refusals.status_means(status)
        return self._failed(state, FeedError(sentence), condition=condition)

    async def _read(self, feed: Feed, state: FeedState, fetched: Fetched, *, sweep: bool) -> Polled:
        try:
            found = await self._parse(feed, fetched)
        except UnreadableError as error:
            return await self._set_aside(feed, state, fetched, error)
        except FeedError as error:
            return self._failed(state, error)
        return await asyncio.to_thread(self._assemble, feed, state, fetched, found, sweep=sweep)

    async def _parse(self, feed: Feed, fetched: Fetched) -> ReadFeed:
        reading = Reading(
            url=fetched.result.url,
            feed_id=feed.id,
            fetched=fetched.at,
            content_type=fetched.result.content_type,
            groups=feed.groups,
            limits=self.limits,
        )
        return read_answer(await self.sandboxes.call(header(reading), fetched.result.body))

    def _assemble(
        self, feed: Feed, state: FeedState, fetched: Fetched, found: ReadFeed, *, sweep: bool
    ) -> Polled:
        # In a thread: two thousand entries are four thousand look-ups on the disk.
        assembly = assemble(
            found.articles,
            partial(self.entries.known, feed),
            state=state,
            fetched=fetched.at,
            first_poll_hours=self.first_poll_hours,
        )
        after = outcomes.succeeded(
            state,
            answer_of(state, fetched, found, assembly),
            settings=self.settings,
            chance=self.chance(),
        )
        gone: Sequence[str] = ()
        if sweep or after.day != state.day:
            everything = self.entries.items(feed)
            gone = expired(everything, state=after, present=assembly.entries)
        return Polled(
            state=after,
            records=(
                *self.entries.records(feed, assembly.entries, gone),
                *self._articles(assembly.sightings, fetched.at),
            ),
            entries=len(found.articles),
            unchanged=assembly.unchanged,
            sightings=len(assembly.sightings),
            limited=assembly.limited,
        )

    def _articles(self, sightings: Sequence[Sighting], now: datetime) -> list[NewRecord]:
        records: list[NewRecord] = []
        for sighting in sightings:
            key, value = sighting.article.id, encode(sighting)
            if len(key) + len(value) <= MAX_RECORD_BYTES:
                records.append(NewRecord(topic="articles", key=key, value=value))
                continue
            why = "The article is larger than one record may be."
            aside = self.quarantine.put(
                "poll", why=why, code="record-too-large", key=key, body=value, now=now
            )
            records += [aside] if aside else []
        return records

    def _unchanged(self, state: FeedState, fetched: Fetched, *, entries: int) -> Polled:
        answer = same_answer(state, fetched)
        after = outcomes.succeeded(state, answer, settings=self.settings, chance=self.chance())
        return Polled(state=after, entries=entries, unchanged=entries)

    async def _set_aside(
        self, feed: Feed, state: FeedState, fetched: Fetched, error: FeedError
    ) -> Polled:
        polled = self._failed(state, error, condition=refusals.condition_of(error))
        if state.failures % QUARANTINE_EVERY:
            return polled
        record = await asyncio.to_thread(
            self.quarantine.put,
            "poll",
            why=error.sentence,
            code=error.code,
            key=feed.id,
            body=fetched.result.body,
            now=fetched.at,
        )
        return dataclasses.replace(polled, records=(record,) if record else ())

    def _wait(self, state: FeedState, fetched: Fetched) -> Polled:
        asked = parse_retry_after(fetched.result.retry_after, now=fetched.at)
        seconds = refusals.wait_seconds(asked, failures=state.failures)
        self.slots.hold(fetched.result.url, seconds)
        after = outcomes.asked_to_wait(state, at=fetched.at, seconds=seconds, chance=self.chance())
        return Polled(state=after, failed=True)

    def _heed(self, fetched: Fetched) -> None:
        """Stay away from the host for as long as a test for browsers asks us to."""
        asked = parse_retry_after(fetched.result.retry_after, now=fetched.at)
        if asked is not None:
            self.slots.hold(fetched.result.url, asked)

    def _held_back(self, state: FeedState, seconds: float) -> Polled:
        after = outcomes.held_back(state, at=self.clock(), seconds=seconds, chance=self.chance())
        return Polled(state=after, failed=True)

    def _failed(
        self, state: FeedState, error: FeedError, *, condition: Condition = "failing"
    ) -> Polled:
        after = outcomes.failed(
            state,
            at=self.clock(),
            sentence=refusals.advice(error),
            settings=self.settings,
            chance=self.chance(),
            condition=condition,
        )
        return Polled(state=after, failed=True)

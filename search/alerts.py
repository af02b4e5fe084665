"""The loop that alerts: stories and changed subscriptions in, claims out.

Claims, what is in force and the cursor are one append. Whoever delivers is woken then, and finds
the claims in the log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog

from ingest.errors import FencedError, NewerSchemaError, UnavailableError, WirewatchError
from ingest.log import Commit, Consumer, Log, NewRecord, Partition, Record
from ingest.quarantine import Quarantine
from ingest.wire import decode, encode
from processors.links import Links
from processors.records import StoryLink
from search.active import Active
from search.alert_settings import AlertSettings
from search.alert_state import ALERT, CURSOR, SINCE, TOPIC, Cursor, Since
from search.claims import Claims, outlived
from search.matching import Matching

__all__ = ["AlertOwner", "AlertSettings"]

STORIES, LINKS = Partition("stories"), Partition("story-links")
SUBSCRIPTIONS = Partition("subscriptions")
GROUP = "alert"
CURSOR_KEY = f"{CURSOR}0"

BATCH = 200
"""Stories taken at a time, as in the stages before."""

FLUSH = 500
"""Records in one append at most: 20,000 alerts of one article reach the sender as they are made,
and nobody else's append waits for all of them."""

SWEPT = 500
"""Alerts looked at per idle step when old ones are cleared away; some 10 ms."""

SWEEP_EVERY = timedelta(hours=6)
DELAY_SECONDS = 1.0

_events = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AlertOwner:
    """Matches every story with the subscriptions in force and claims alerts. For one thread.

    ``wake`` is called when claims are durable. Each article meets the subscriptions as they were
    when it was appended, also where both waited for this loop to start.
    """

    def __init__(
        self,
        log: Log,
        *,
        settings: AlertSettings,
        quarantine: Quarantine,
        wake: Callable[[], None] = lambda: None,
        crash_point: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._log = log
        self._settings = settings
        self._quarantine = quarantine
        self._wake = wake
        self._crash_point = crash_point
        self._clock = clock
        self._consumer: Consumer | None = None
        self._made: list[NewRecord] = []
        self._sweep: Iterator[list[NewRecord]] = iter(())
        self._swept = datetime.min.replace(tzinfo=UTC)

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set; the batch in hand is finished. Raises as ``step``."""
        try:
            while not stop.is_set():
                try:
                    self.step()
                except (UnavailableError, FencedError) as error:
                    # What is in memory is ahead of the log: forget it, begin at the cursor.
                    _events.warning("stage waits", stage="alert", reason=error.sentence)
                    self.close()
                    stop.wait(DELAY_SECONDS)
        finally:
            self.close()

    def step(self, timeout_seconds: float = 1.0) -> int:
        """Handle one batch; how many records were handled and are durable, 0 at time-out.

        Raises:
            NewerSchemaError: a record was made by a newer version; this stage must stop.
            UnavailableError: nothing of the batch counts; ``close`` before the next step.
        """
        consumer = self._consumer or self._open()
        polled = consumer.poll(max_records=BATCH, timeout_seconds=timeout_seconds)
        if not polled:
            self._clear_away()
            return 0
        # Subscriptions are read after stories: of two changes the earlier is then never missing.
        stories = [one for one in polled if one.partition == STORIES]
        handled = 0
        for record in _in_order(stories, self._unread(SUBSCRIPTIONS, self._cursor.subscriptions)):
            handled += self._handle(record)
        self._flush()
        return handled

    def lag(self) -> int:
        """Records of ``stories`` and ``subscriptions`` that are not durably handled."""
        cursor = self._stored_cursor()
        places = ((STORIES, cursor.stories), (SUBSCRIPTIONS, cursor.subscriptions))
        return sum(
            self._log.bounds(partition)[1] - offset
            for partition, offset in places
            if self._log.read(partition, offset, max_records=1)
        )

    def close(self) -> None:
        """Leave the log; the next step begins at the stored cursor."""
        if self._consumer is not None:
            self._consumer.close()
        self._consumer = None
        self._made = []
        self._sweep = iter(())

    def _open(self) -> Consumer:
        table = self._log.table(TOPIC)
        self._cursor = self._stored = self._stored_cursor()
        self._active = Active(decode(Since, record.value or b"") for record in table.items(SINCE))
        self._links = Links()
        self._links_read = self._log.bounds(LINKS)[1]
        merges = [
            decode(StoryLink, record.value or b"")
            for record in self._log.table(LINKS.topic).items()
        ]
        for link in sorted(merges, key=lambda link: (link.order, link.story_id)):
            self._links.add(link)
        self._claims = Claims(table, self._links)
        self._matching = Matching(
            self._active, self._claims, settings=self._settings, clock=self._clock
        )
        self._passed = 0
        start = {STORIES: self._cursor.stories, SUBSCRIPTIONS: self._cursor.subscriptions}
        self._consumer = self._log.consumer(
            GROUP, [STORIES.topic, SUBSCRIPTIONS.topic], on_assign=lambda _: start
        )
        return self._consumer

    def _stored_cursor(self) -> Cursor:
        record = self._log.table(TOPIC).get(CURSOR_KEY)
        return decode(Cursor, record.value) if record and record.value else Cursor()

    def _unread(self, partition: Partition, offset: int) -> list[Record]:
        found: list[Record] = []
        while records := self._log.read(partition, offset):
            found += records
            offset = records[-1].offset + 1
        return found

    def _handle(self, record: Record) -> bool:
        """Apply a subscription or match a story; False where it was handled before."""
        cursor = self._cursor
        if record.partition == STORIES:
            if record.offset < cursor.stories:
                return False
            self._guarded(self._match, record)
            self._cursor = replace(cursor, stories=record.offset + 1)
        else:
            self._guarded(self._apply, record)
            self._cursor = replace(cursor, subscriptions=record.offset + 1)
        if len(self._made) >= FLUSH:
            self._flush()
        return True

    def _guarded(self, work: Callable[[Record], None], record: Record) -> None:
        try:
            work(record)
        except (NewerSchemaError, UnavailableError, FencedError):
            raise
        except Exception as error:  # noqa: BLE001 - one record must not stop the stage (P4)
            self._set_aside(record, error)

    def _apply(self, record: Record) -> None:
        now = self._clock()
        made = self._active.apply(record, offset=self._cursor.stories, now=now)
        if made is not None:
            self._made.append(made)

    def _match(self, record: Record) -> None:
        self._read_links()
        found = self._matching.matched(record)
        if found is None:
            return
        if len(self._made) + len(found.subscriptions) > FLUSH:
            self._flush()  # what was applied before goes with its cursor, not with these claims
        for made in self._matching.claims(found):
            self._made.append(made)
            if len(self._made) >= FLUSH:
                self._append(None)  # before the cursor: after a crash these are found claimed
                self._let_pass(record.offset + 1)

    def _let_pass(self, offset: int) -> None:
        """Claim later stories that few wait for, in the middle of one that thousands wait for.

        The cursor stays; when it reaches them they are found claimed (row F62).
        """
        if self._log.read(SUBSCRIPTIONS, self._cursor.subscriptions, max_records=1):
            return  # they may have to meet other subscriptions than these
        for record in self._log.read(STORIES, max(offset, self._passed), max_records=BATCH):
            self._passed = record.offset + 1
            self._guarded(self._match_few, record)
        self._append(None)

    def _match_few(self, record: Record) -> None:
        self._read_links()
        found = self._matching.matched(record)
        if found is not None and len(found.subscriptions) <= FLUSH:
            self._made += self._matching.claims(found)

    def _read_links(self) -> None:
        for record in self._unread(LINKS, self._links_read):
            self._links_read = record.offset + 1
            if record.value is not None:
                self._links.add(decode(StoryLink, record.value))

    def _flush(self) -> None:
        """Write what was made, and the cursor with it."""
        if self._cursor != self._stored:
            value = encode(self._cursor)
            self._made.append(NewRecord(topic=TOPIC, key=CURSOR_KEY, value=value))
        offsets = {STORIES: self._cursor.stories}  # a hint, for who watches the lag
        self._append(Commit(group=GROUP, offsets=offsets))
        self._stored = self._cursor

    def _append(self, commit: Commit | None) -> None:
        if not self._made:
            return
        self._log.append(self._made, commit=commit)
        claimed = any(one.key.startswith(ALERT) for one in self._made)
        self._made = []
        self._claims.settled()
        if claimed:
            self._crash_point("K6")
            self._wake()

    def _set_aside(self, record: Record, error: Exception) -> None:
        known = isinstance(error, WirewatchError)
        _events.error(
            "record set aside",
            stage="alert",
            key=record.key,
            exc_info=not known,
            reason=str(error),
        )
        aside = self._quarantine.put(
            "alert",
            why=error.sentence if isinstance(error, WirewatchError) else _sentence(error),
            code=error.code if isinstance(error, WirewatchError) else "unexpected",
            key=record.key,
            body=record.value or b"",
            now=record.appended,
            topic=record.partition.topic,
        )
        if aside is not None:
            self._made.append(aside)

    def _clear_away(self) -> None:
        """Drop some of the alerts whose stories are long over."""
        now = self._clock()
        if now - self._swept > SWEEP_EVERY:
            self._swept = now
            before = now - timedelta(days=self._settings.claim_days)
            self._sweep = outlived(self._log.table(TOPIC), before=before)
        gone = [record for some in islice(self._sweep, SWEPT) for record in some]
        if gone:
            self._log.append(gone)


def _in_order(stories: Sequence[Record], subscriptions: Sequence[Record]) -> list[Record]:
    """Both in the order of appending; a subscription first where the times are equal."""
    return sorted(
        [*subscriptions, *stories], key=lambda one: (one.appended, one.partition == STORIES)
    )


def _sentence(error: Exception) -> str:
    return f"Alerting failed unexpectedly ({type(error).__name__}: {error})."

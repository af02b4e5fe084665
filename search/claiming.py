"""From stories and changed subscriptions, in their order, to claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from ingest.errors import FencedError, NewerSchemaError, UnavailableError, WirewatchError
from ingest.log import Partition, Record
from ingest.quarantine import Quarantine
from search.active import Active
from search.alert_state import Since
from search.cursors import Cursors
from search.matching import Matched, Matching
from search.outbox import FLUSH, Outbox
from search.timeline import STORIES, SUBSCRIPTIONS

_events = structlog.get_logger(__name__)

Result = TypeVar("Result")


class Claiming:
    """Handles one batch after the other; what they lead to goes into ``outbox``. For one thread.

    Args:
        ahead: Gives the records after the batch in hand, as far as they are known.
        applied: Told of each change that is in force now: what was before, the record of
            ``subscriptions``, and the place in ``stories``.
        changed: Gets the id of each subscription that is in force in another version.
    """

    def __init__(
        self,
        *,
        active: Active,
        matching: Matching,
        cursors: Cursors,
        outbox: Outbox,
        ahead: Callable[[], list[Record]],
        applied: Callable[[Since | None, Record, Mapping[int, int]], None],
        changed: set[str],
        quarantine: Quarantine,
        clock: Callable[[], datetime],
    ) -> None:
        self._active = active
        self._matching = matching
        self._cursors = cursors
        self._outbox = outbox
        self._ahead = ahead
        self._applied = applied
        self._quarantine = quarantine
        self._clock = clock
        self._changed = changed
        self._passed: set[tuple[Partition, int]] = set()

    def handle(self, taken: Sequence[Record]) -> None:
        """Match the stories, apply the subscriptions, and claim for many stories at a time.

        Raises:
            NewerSchemaError: a record was made by a newer version.
            UnavailableError: the log cannot be read or written now.
        """
        self._passed.clear()
        matched: list[tuple[Record, Matched]] = []
        wanted = 0
        for number, record in enumerate(taken, 1):
            if record.partition.topic == SUBSCRIPTIONS:
                if matched:
                    # What came before is claimed before: after a crash nothing of it is left.
                    self._claim(matched, rest=taken[number - 1 :])
                    matched, wanted = [], 0
                self.guarded(record, partial(self._apply, record))
            elif found := self.guarded(record, partial(self._match, record)):
                matched.append((record, found))
                wanted += len(found.subscriptions)
                if wanted >= FLUSH:
                    self._claim(matched, rest=taken[number:])
                    matched, wanted = [], 0
            self._cursors.handled(record)
        self._claim(matched, rest=())

    def _match(self, record: Record) -> Matched | None:
        return self._matching.matched(record, besides=self._cursors.past(record))

    def _apply(self, record: Record) -> None:
        at = self._cursors.at(record.partition.number)
        before = self._active.since(record.key)
        made = self._active.apply(record, offset=at, now=self._clock())
        if made is not None:
            self._outbox.add(made)
            self._applied(before, record, at)
            if self._outbox.is_full:
                self._outbox.append()  # the claims of all that came before are in it, too
            self._changed.add(record.key)

    def _claim(self, matched: Sequence[tuple[Record, Matched]], *, rest: Sequence[Record]) -> None:
        few = [found for _, found in matched if len(found.subscriptions) <= FLUSH]
        self._matching.expect(few)
        for number, (record, found) in enumerate(matched, 1):
            later = [*(one for one, _ in matched[number:]), *rest]
            self.guarded(record, partial(self._claim_one, found, later))

    def _claim_one(self, found: Matched, later: Sequence[Record]) -> None:
        for made in self._matching.claims(found):
            self._outbox.add(made)
            if self._outbox.is_full:
                self._outbox.append()  # before the cursor: after a crash these are found claimed
                if len(found.subscriptions) > FLUSH:
                    self._let_pass(later)

    def _let_pass(self, later: Sequence[Record]) -> None:
        """Claim later stories that few wait for, in the middle of one that thousands wait for.

        The cursor stays; when it reaches them they are found claimed (row F62).
        """
        later = [*later, *self._ahead()]
        if any(one.partition.topic != STORIES for one in later):
            return  # they may have to meet other subscriptions than these
        matched = []
        for record in later:
            if (record.partition, record.offset) not in self._passed:
                self._passed.add((record.partition, record.offset))
                found = self.guarded(record, partial(self._match, record))
                if found is not None and len(found.subscriptions) <= FLUSH:
                    matched.append((record, found))
        self._claim(matched, rest=())
        self._outbox.append()

    def guarded(self, record: Record, work: Callable[[], Result]) -> Result | None:
        """What ``work`` gives; None where it fails, and ``record`` is set aside."""
        try:
            return work()
        except (NewerSchemaError, UnavailableError, FencedError):
            raise
        except Exception as error:  # noqa: BLE001 - one record must not stop the stage (P4)
            self._set_aside(record, error)
            return None

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
            self._outbox.add(aside)


def _sentence(error: Exception) -> str:
    return f"Alerting failed unexpectedly ({type(error).__name__}: {error})."

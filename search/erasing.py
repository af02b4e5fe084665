"""Erasing an article everywhere, for whoever must: the wish, and what of it is still to do.

First the trace is written; from then on no stage takes the article in. Then the register hears of
it in the one order of ``tagged``, and removes it from ``stories``, which index and alerts follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from ingest.clean import one_line
from ingest.errors import GoneError, NotFoundError, UsageError
from ingest.identity import id_of_url
from ingest.log import Log, NewRecord
from ingest.quarantine import Quarantine
from ingest.wire import as_json, decode, encode
from processors.erasures import DONE, TOPIC, Erasure, Erasures, Finished, hash_of
from processors.records import StoryRecord
from search.alert_state import ALERT, Alert
from search.alert_state import TOPIC as ALERT_STATE
from search.erased_alerts import speaks_of

REASON_CHARS = 1_000
DECIDED = ("articles", "tagged", "decisions", "stories")
"""The topics that hold an article's words under its own id."""


class Erasing:
    """What API and shells know of erasures. From any thread, one call at a time each."""

    def __init__(
        self,
        log: Log,
        *,
        quarantine: Quarantine,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._quarantine = quarantine
        self._crash_point = crash_point

    def known(self) -> Erasures:
        """All erasures as of now."""
        known = Erasures(self._log)
        known.read()
        return known

    def request(self, article_id: str, *, reason: str, by: str) -> Erasure:
        """Have an article erased; again, where it was before, in case that was cut short.

        Raises:
            NotFoundError: there is no such article.
            UsageError: the reason is missing, or too long.
        """
        reason = one_line(reason)
        if not 0 < len(reason) <= REASON_CHARS:
            raise UsageError(f"an erasure needs a reason of at most {REASON_CHARS:,} characters")
        erasure, story = self.known().get(article_id), self._story(article_id)
        if erasure is None and story is None:
            raise NotFoundError(
                f"there is no article {article_id}", hint="Take the id from: wirewatch search"
            )
        if erasure is None and story is not None:
            erasure = self._erasure(story, reason=reason, by=by)
            self._crash_point("E1")
            made = NewRecord(topic=TOPIC, key=erasure.article_id, value=encode(erasure))
            self._log.append([made, *self._marks(erasure)])
            self._crash_point("E2")
        if erasure is None:
            raise AssertionError("an article without a story was erased before")
        if story is not None:
            self.tell_register(erasure)
        return erasure

    def tell_register(self, erasure: Erasure) -> None:
        """Have the register remove the article."""
        self._log.append([NewRecord(topic="tagged", key=erasure.article_id, value=None)])
        self._crash_point("E3")

    def stands(self, erasure: Erasure) -> bool:
        """Whether the register has not removed it yet."""
        return self._story(erasure.article_id) is not None

    def alerts_speak(self, erasure: Erasure) -> bool:
        """Whether an alert still has words of it."""
        return any(
            speaks_of(decode(Alert, record.value or b""), erasure.ids)
            for record in self._log.table(ALERT_STATE).items(ALERT)
        )

    def expunge(self, erasure: Erasure) -> bool:
        """Delete what the log has of it for good, where the log can; False: something is left."""
        self._log.sweep()
        left = sum(self._log.expunge(topic, erasure.ids) for topic in DECIDED)
        rows = [row for row in erasure.rows if self._quarantine.erase(row)]
        self._crash_point("E4")
        return not left and not rows

    def finish(self, erasure: Erasure) -> None:
        """Note that nothing of it is left."""
        self._crash_point("E5")
        done = Finished(
            article_id=erasure.article_id, skipped=erasure.skipped, at=datetime.now(UTC)
        )
        key = DONE + erasure.article_id
        self._log.append([NewRecord(topic=TOPIC, key=key, value=encode(done))])

    def _erasure(self, story: StoryRecord, *, reason: str, by: str) -> Erasure:
        article = story.article
        hashes = {hash_of(title=one.title, text=one.text) for one in story.revisions}
        hashes = (hashes | {hash_of(title=article.title, text=article.text)}) - {""}
        same_page = id_of_url(article.canonical_url) if article.canonical_url else article.id
        # Another article may stand under the bare address: it stays, and goes on.
        ids = [article.id] if self._story(same_page) else [article.id, same_page]
        return Erasure(
            article_id=article.id,
            ids=tuple(dict.fromkeys(ids)),
            hashes=tuple(sorted(hashes)),
            rows=tuple(self._rows(story)),
            reason=reason,
            by=by,
            at=datetime.now(UTC),
        )

    def _rows(self, story: StoryRecord) -> Iterator[str]:
        """Ids of what was set aside with the article's words in it: a record, or a feed's body."""
        words = [one.encode() for one in (story.article.url, story.article.title) if one]
        for row in self._quarantine.items():
            if row.key == story.article.id:
                yield row.id
                continue
            body = self._quarantine.bytes_of(row.id)
            if any(one in body for one in words):
                yield row.id

    def _marks(self, erasure: Erasure) -> list[NewRecord]:
        """Tombstones for what readers noted about it."""
        return [
            NewRecord(topic="marks", key=record.key, value=None)
            for record in self._log.table("marks").items()
            if record.key.endswith(f"/{erasure.article_id}")
        ]

    def _story(self, article_id: str) -> StoryRecord | None:
        record = self._log.table("stories").get(article_id)
        return decode(StoryRecord, record.value) if record and record.value else None


def erasure_row(erasure: Erasure, known: Erasures) -> dict[str, Any]:
    """An erasure as people see it; ``finished``: nothing of it is left in this data folder."""
    shown: dict[str, Any] = as_json(erasure)
    for name in ("ids", "hashes", "rows", "schema"):
        del shown[name]
    return {**shown, "finished": known.is_finished(erasure)}


def refuse_erased_article(log: Log, article_id: str) -> None:
    """Nothing, where the article was not erased. Raises GoneError."""
    known = Erasures(log)
    known.read()
    erasure = known.get(article_id)
    if erasure is not None:
        raise GoneError(
            f"{article_id} was erased",
            sentence=f"Article {article_id} was erased on {erasure.at:%Y-%m-%d} by {erasure.by}: "
            f"{erasure.reason}",
        )

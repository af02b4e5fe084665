"""What readers note about articles: a star, a note, that it was read. Each has their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ingest.clean import clean
from ingest.errors import NotFoundError, UsageError
from ingest.log import Log, NewRecord
from ingest.wire import SCHEMA, Time, decode, encode

TOPIC = "marks"
NOTE_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What one owner noted about one article: the record of ``marks``."""

    article_id: str
    owner: str
    starred: bool = False
    note: str = ""
    read: bool = False
    at: Time
    schema: int = SCHEMA

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.starred or self.note or self.read)


def _now() -> datetime:
    return datetime.now(UTC)


class MarkStore:
    """The topic ``marks`` by owner and article. From any thread."""

    def __init__(self, log: Log, *, clock: Callable[[], datetime] = _now) -> None:
        self._log = log
        self._clock = clock
        self._changing = threading.Lock()  # two changes of one mark both count

    def change(
        self,
        owner: str,
        article_id: str,
        *,
        starred: bool | None = None,
        note: str | None = None,
        read: bool | None = None,
    ) -> Mark:
        """The mark with what is given changed; one that says nothing any more is gone.

        Raises:
            NotFoundError: there is no such article.
            UsageError: the note is too long.
        """
        if note is not None and len(note) > NOTE_CHARS:
            raise UsageError(f"a note has at most {NOTE_CHARS:,} characters", code="long-note")
        if self._log.table("stories").get(article_id) is None:
            raise NotFoundError(
                f"there is no article {article_id}", hint="Take the id from: wirewatch search"
            )
        with self._changing:
            empty = Mark(article_id=article_id, owner=owner, at=self._clock())
            before = self.of(owner, [article_id]).get(article_id, empty)
            after = replace(
                before,
                starred=before.starred if starred is None else starred,
                note=before.note if note is None else clean(note).strip(),
                read=before.read if read is None else read,
                at=self._clock(),
            )
            value = None if after.is_empty else encode(after)
            key = _key(owner, article_id)
            self._log.append([NewRecord(topic=TOPIC, key=key, value=value)])
        return after

    def of(self, owner: str, article_ids: Collection[str]) -> dict[str, Mark]:
        """The owner's marks of these articles, by article: read in one go."""
        keys = [_key(owner, one) for one in article_ids]
        found = self._log.table(TOPIC).many(keys) if keys else {}
        marks = [decode(Mark, one.value) for one in found.values() if one.value is not None]
        return {mark.article_id: mark for mark in marks}

    def all(self, owner: str) -> Iterator[Mark]:
        """Every mark of an owner, by article."""
        for record in self._log.table(TOPIC).items(_key(owner, "")):
            if record.value is not None:
                yield decode(Mark, record.value)


def _key(owner: str, article_id: str) -> str:
    """No name of an owner holds a slash, so none begins another's keys."""
    return f"{owner}/{article_id}"

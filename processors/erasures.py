"""Articles that were erased by request: what must not come back, and the trace that it was there.

The topic ``erasures`` has a record for each, kept for ever and without a word of the text, and one
under ``done:`` for each that has left every file. Register, index and alerts follow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.article import Article, content_hash
from ingest.log import Log, Partition
from ingest.wire import SCHEMA, Time, decode

TOPIC = "erasures"
DONE = "done:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An article that was erased; written once, then by the register alone.

    Attributes:
        ids: Every id under which it was seen: its own, and that of its address alone.
        hashes: Of each of its texts (``hash_of``): the same under any address stays away.
        rows: Ids in the quarantine that held its words.
        by: Who asked for it: the account's name, or ``local``.
        skipped: How many times it was seen again, and dropped.
    """

    article_id: str
    ids: tuple[str, ...]
    hashes: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    reason: str
    by: str
    at: Time
    skipped: int = 0
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Until ``skipped`` sightings, nothing of an article is left in the data folder."""

    article_id: str
    skipped: int
    at: Time
    schema: int = SCHEMA


class Erasures:
    """The topic as of the last ``read``. For one thread."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._place = Partition(TOPIC)
        self._next = 0
        self._known: dict[str, Erasure] = {}
        self._finished: dict[str, Finished] = {}
        self._ids: dict[str, str] = {}
        self._hashes: dict[str, str] = {}

    def __iter__(self) -> Iterator[Erasure]:
        return iter(self._known.values())

    def __contains__(self, article_id: object) -> bool:
        return article_id in self._ids

    def read(self) -> None:
        """Take in what has come."""
        while records := self._log.read(self._place, self._next):
            for record in records:
                self._next = record.offset + 1
                if record.value is None:
                    continue
                if record.key.startswith(DONE):
                    done = decode(Finished, record.value)
                    self._finished[done.article_id] = done
                else:
                    self.put(decode(Erasure, record.value))

    def put(self, erasure: Erasure) -> None:
        """Take in what is about to be written."""
        self._known[erasure.article_id] = erasure
        self._ids |= dict.fromkeys(erasure.ids, erasure.article_id)
        self._hashes |= dict.fromkeys(erasure.hashes, erasure.article_id)

    def get(self, article_id: str) -> Erasure | None:
        """The erasure of an article, by any of its ids."""
        return self._known.get(self._ids.get(article_id, ""))

    def of(self, article: Article) -> Erasure | None:
        """The erasure that ``article`` falls under: by its id, or by its very text."""
        found = self.get(article.id)
        if found is None and self._hashes:
            same = hash_of(title=article.title, text=article.text)
            found = self._known.get(self._hashes.get(same, ""))
        return found

    def is_finished(self, erasure: Erasure) -> bool:
        """Whether nothing of it was left after it was seen last."""
        done = self._finished.get(erasure.article_id)
        return done is not None and done.skipped >= erasure.skipped

    def was_finished(self, erasure: Erasure) -> bool:
        """Whether nothing of it was left at some time: since then no stage has taken it in."""
        return erasure.article_id in self._finished

    def pending(self) -> list[Erasure]:
        """Those that may have left something behind."""
        return [one for one in self if not self.is_finished(one)]


def hash_of(*, title: str, text: str) -> str:
    """What tells the same words again, wherever they stand; empty where there is a title only."""
    return content_hash(title=title, text=text, canonical_url="") if text else ""

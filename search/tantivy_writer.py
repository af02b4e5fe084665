"""The one writer of an embedded index: commits that are durable, read back, or wholly undone.

A failed commit of tantivy 0.27 leaves a writer that goes on reporting success and stores
nothing; its panics are no ``Exception``. So whatever fails is rolled back, or a new writer made.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

import structlog
import tantivy

from ingest.errors import UnavailableError
from search.index import Checkpoint
from search.stored_fields import bytes_at, find, order_of
from search.tantivy_schema import CHECKPOINT_ID, SCHEMA

_FULL = ("no space left", "file too large", "quota exceeded")
_ENVIRONMENT = (*_FULL, "os error", "ioerror", "io error", "was killed", "lock")
"""Words of the engine's messages that blame no document. A killed writer had an I/O error."""

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A document ready to be written."""

    article_id: str
    order: int
    document: tantivy.Document


def read_checkpoint(searcher: tantivy.Searcher) -> Checkpoint | None:
    """What was stored with the last documents."""
    address = find(searcher, CHECKPOINT_ID)
    if address is None:
        return None
    fields = json.loads(bytes_at(searcher, address, "record"))
    stories = fields.pop("stories")
    if isinstance(stories, int):  # as folders had it while a log had one partition
        stories = {0: stories}
    return Checkpoint(stories={int(number): at for number, at in stories.items()}, **fields)


class Writer:
    """Writes to ``index``; made when first needed, since it takes the lock. For one thread."""

    def __init__(self, index: tantivy.Index, *, heap_bytes: int) -> None:
        self._index = index
        self._heap_bytes = heap_bytes
        self._writer: tantivy.IndexWriter | None = None

    def store(
        self,
        made: Sequence[Made],
        checkpoint: Checkpoint | None,
        *,
        removed: Collection[str] = (),
    ) -> dict[str, str]:
        """Commit all this together; the documents refused, with the reason.

        Where documents are refused the others are stored, the checkpoint is not.

        Raises:
            UnavailableError: nothing more can be stored now.
        """
        if not made and checkpoint is None and not removed:
            return {}
        try:
            self._commit(made, checkpoint, removed)
        except BaseException as error:  # panics of the engine derive from BaseException only
            self._recover()
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            if not made or _blames_environment(error):
                raise _unavailable(error) from error
            return self._store_halves(made, checkpoint, removed, error=error)
        return {}

    def close(self) -> None:
        """Let merges finish and free the lock."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()

    def _store_halves(
        self,
        made: Sequence[Made],
        checkpoint: Checkpoint | None,
        removed: Collection[str],
        *,
        error: BaseException,
    ) -> dict[str, str]:
        if len(made) == 1:
            if removed:
                self.store((), None, removed=removed)
            return {made[0].article_id: _message(error)}
        middle = len(made) // 2
        rejected = self.store(made[:middle], None) | self.store(made[middle:], None)
        return rejected or self.store((), checkpoint, removed=removed)

    def _commit(
        self, made: Sequence[Made], checkpoint: Checkpoint | None, removed: Collection[str]
    ) -> None:
        writer = self._opened()
        if checkpoint is not None:
            checkpoint = _merged(checkpoint, read_checkpoint(self._index.searcher()))
        for article_id in removed:
            writer.delete_documents_by_term("id", article_id)
        for one in made:
            writer.delete_documents_by_term("id", one.article_id)
            writer.add_document(one.document)
        if checkpoint is not None:
            writer.delete_documents_by_term("id", CHECKPOINT_ID)
            fields = {"id": CHECKPOINT_ID, "record": json.dumps(asdict(checkpoint)).encode()}
            writer.add_document(tantivy.Document.from_dict(fields, SCHEMA))
        writer.commit()
        self._index.reload()
        self._check(made[-1] if made else None, checkpoint)

    def _check(self, last: Made | None, checkpoint: Checkpoint | None) -> None:
        """A dead writer acknowledges what it never stored."""
        searcher = self._index.searcher()
        is_there = last is None or order_of(searcher, last.article_id) == last.order
        if not is_there or checkpoint not in (None, read_checkpoint(searcher)):
            raise OSError("io error: the engine acknowledged a commit that is not there")

    def _opened(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(self._heap_bytes, 1)
            self._writer.garbage_collect_files()  # a killed process leaves files behind
        return self._writer

    def _recover(self) -> None:
        try:
            if self._writer is not None:
                self._writer.rollback()
        except BaseException as error:
            self._writer = None
            gc.collect()  # the lock is free once the old writer is gone
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            _events.warning("index writer made anew", reason=_message(error))


def _merged(checkpoint: Checkpoint, known: Checkpoint | None) -> Checkpoint:
    """``checkpoint`` with the partitions of the same log that it does not name."""
    if known is None or known.log != checkpoint.log:
        return checkpoint
    return replace(checkpoint, stories={**known.stories, **checkpoint.stories})


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _blames_environment(error: BaseException) -> bool:
    message = _message(error).lower()
    return any(word in message for word in _ENVIRONMENT)


def _unavailable(error: BaseException) -> UnavailableError:
    message = _message(error)
    if any(word in message.lower() for word in _FULL):
        return UnavailableError(
            message,
            sentence="Disk full: indexing is paused, searching still works.",
            hint="Free some space on the disk of the data folder; it goes on by itself.",
            code="disk-full",
        )
    return UnavailableError(
        message,
        sentence="The index cannot be written now.",
        hint="wirewatch doctor shows the state; it is tried again by itself.",
    )

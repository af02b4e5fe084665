"""Whether index and log belong together: where indexing begins, or why it must not. Pure."""

from __future__ import annotations

from ingest.errors import ForeignStoreError
from ingest.log import Partition
from search.index import Checkpoint

GROUP = "index"
STORIES = Partition("stories")
LINKS = Partition("story-links")

_HINT = "Restore the one that is missing, or build the index anew from the log: wirewatch reindex"


def begin_at(
    checkpoint: Checkpoint | None, *, log: str, end: int, hint: int | None, outdated: str
) -> Checkpoint:
    """Where to read on in the log named ``log``, whose ``stories`` end at ``end``.

    ``hint`` is what the group committed after the index did, so never more than the checkpoint;
    ``outdated`` is set where the index begins empty by intention.

    Raises:
        ForeignStoreError: index or log came back empty, older, or as another one.
    """
    if checkpoint is None:
        if hint and not outdated:
            raise _foreign(f"The index is empty, although {hint:,} records were indexed.")
        return Checkpoint(log=log, stories=0)
    if checkpoint.log != log:
        raise _foreign("The index was made from another log than this one.")
    if checkpoint.stories > end:
        raise _foreign(
            f"The log is older than the index: {end:,} records, {checkpoint.stories:,} indexed."
        )
    if hint is not None and checkpoint.stories < hint:
        raise _foreign(
            f"The index is older than it was: it holds {checkpoint.stories:,} of {hint:,} records."
        )
    return checkpoint


def _foreign(what: str) -> ForeignStoreError:
    sentence = f"{what} It is not the index that the checkpoint names; rebuild or restore."
    return ForeignStoreError(sentence, sentence=sentence, hint=_HINT)

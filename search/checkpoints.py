"""Whether index and log belong together: where indexing begins, or why it must not. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.errors import ForeignStoreError
from ingest.log import Partition
from search.index import Checkpoint

GROUP = "index"
STORIES = "stories"
LINKS = Partition("story-links")

_HINT = "Restore the one that is missing, or build the index anew from the log: wirewatch reindex"


def begin_at(
    checkpoint: Checkpoint | None,
    *,
    log: str,
    ends: Mapping[int, int],
    hints: Mapping[int, int],
    outdated: str,
) -> Checkpoint:
    """Where to read on, in the log named ``log``, in the partitions of ``stories`` in ``ends``.

    ``hints`` is what the group committed after the index did, so never more than the checkpoint;
    ``outdated`` is set where the index begins empty by intention.

    Raises:
        ForeignStoreError: index or log came back empty, older, or as another one.
    """
    if checkpoint is None:
        if any(hints.values()) and not outdated:
            done = sum(hints.values())
            raise foreign(f"The index is empty, although {done:,} records were indexed.")
        return Checkpoint(log=log, stories=dict.fromkeys(ends, 0))
    if checkpoint.log != log:
        raise foreign("The index was made from another log than this one.")
    reached = {number: checkpoint.stories.get(number, 0) for number in ends}
    for number, offset in reached.items():
        hint = 0 if checkpoint.rebuilt else hints.get(number, 0)
        if offset > ends[number]:
            raise foreign(
                f"The log is older than the index: {ends[number]:,} records, {offset:,} indexed."
            )
        if offset < hint:
            raise foreign(
                f"The index is older than it was: it holds {offset:,} of {hint:,} records."
            )
    return Checkpoint(log=log, stories=reached, links=checkpoint.links)


def foreign(what: str) -> ForeignStoreError:
    """What stops the stage: ``what`` is a sentence."""
    sentence = f"{what} It is not the index that the checkpoint names; rebuild or restore."
    return ForeignStoreError(sentence, sentence=sentence, hint=_HINT)

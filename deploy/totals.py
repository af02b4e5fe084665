"""The totals of ``run --once``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.poller import PollTotals

if TYPE_CHECKING:
    from deploy.embedded import Embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What ``run --once`` did (RECORDS, "Totals")."""

    feeds: int = 0
    failed: int = 0
    articles: int = 0
    revisions: int = 0
    duplicates: int = 0
    tagged: int = 0
    copies: int = 0
    stories: int = 0
    indexed: int = 0
    quarantined: int = 0
    alerts: int = 0
    delivered: int = 0
    seconds: float = 0.0


def made(shell: Embedded, polled: PollTotals, *, before: Counter[str], seconds: float) -> Totals:
    """The totals of a shell that polled once; ``before`` counts alerts at its start, by state."""
    counts, after = shell.registrar.counts, shell.alert_counts()
    set_aside = shell.tagger.loop.quarantined + shell.registrar.loop.quarantined
    return Totals(
        feeds=polled.feeds,
        failed=polled.failed,
        articles=counts.articles + set_aside,
        revisions=counts.revisions,
        duplicates=counts.duplicates + polled.unchanged,
        tagged=counts.tagged,
        copies=counts.copies,
        stories=counts.stories,
        indexed=shell.indexer.indexed,
        quarantined=set_aside + shell.indexer.quarantined,
        alerts=after.total() - before.total(),
        delivered=after["sent"] - before["sent"],
        seconds=round(seconds, 3),
    )

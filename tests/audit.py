"""Compares a ledger of issued items with what a stopped Wirewatch keeps and what it sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.log import Log, Partition
from ingest.sqlite_log import SqliteLog
from ingest.urls import canonical_url
from ingest.wire import decode
from processors.query import parse
from processors.records import StoryRecord
from search.alert_state import ALERT, Alert
from search.tantivy_index import TantivyIndex
from tests.alert_book import AlertBook
from tests.ledger import COMMON, Ledger


@dataclass(slots=True, kw_only=True)
class Audit:
    """What was found; ``differences`` are sentences, empty where all is as it should be."""

    items: int = 0
    lost: int = 0
    double: int = 0
    revisions: int = 0
    indexed: int = 0
    quarantined: int = 0
    alerts: int = 0
    requests: int = 0
    second_alert_ids: int = 0
    differences: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        """The numbers, by what they are called in print."""
        return {
            "items issued": self.items,
            "articles lost": self.lost,
            "double article ids": self.double,
            "revisions": self.revisions,
            "articles in the index": self.indexed,
            "set aside": self.quarantined,
            "alerts": self.alerts,
            "webhook requests": self.requests,
            "second alert ids": self.second_alert_ids,
        }


def audit(data: Path, ledger: Ledger, book: AlertBook) -> Audit:
    """Compare; ``data`` must be at rest. Subscriptions: ``marked`` and ``everything``."""
    found = Audit(items=len(ledger.items), requests=len(book.receipts))
    log = SqliteLog(data / "log.sqlite")
    try:
        audit_stories(found, log, ledger)
        _index(found, data / "index", log)
        audit_alerts(found, log)
        audit_quarantine(found, log)
    finally:
        log.close()
    wanted = [("everything", item.url) for item in ledger.items]
    wanted += [("marked", item.url) for item in ledger.marked]
    audit_receipts(found, book, wanted)
    return found


def audit_quarantine(found: Audit, log: Log) -> None:
    """Whether nothing was set aside."""
    first, end = log.bounds(Partition("quarantine"))
    found.quarantined = end - first
    if found.quarantined:
        found.differences.append(f"{found.quarantined} rows in quarantine")


def _stories(log: Log) -> Iterator[StoryRecord]:
    for record in log.table("stories").items():
        yield decode(StoryRecord, record.value or b"")


def audit_stories(found: Audit, log: Log, ledger: Ledger) -> None:
    """Whether each item is one article of its own in ``stories``."""
    ids: dict[str, set[str]] = defaultdict(set)
    for story in _stories(log):
        ids[story.article.canonical_url].add(story.article.id)
        found.revisions += story.article.revision > 1
        if story.story_id != story.article.id:
            found.differences.append(f"{story.article.url} is not a story of its own")
    for item in ledger.items:
        known = ids.pop(canonical_url(item.url), set())
        found.lost += not known
        found.double += len(known) > 1
        if len(known) != 1:
            found.differences.append(f"item {item.number} has {len(known)} article ids")
    found.differences += [f"{url} was never issued" for url in ids]
    if found.revisions:
        found.differences.append(f"{found.revisions} articles have a revision nobody wrote")


def _index(found: Audit, folder: Path, log: SqliteLog) -> None:
    index = TantivyIndex(folder)
    try:
        found.indexed = index.count(parse(COMMON))
        missing = [one.article.url for one in _stories(log) if index.get(one.article.id) is None]
    finally:
        index.close()
    found.differences += [f"{url} is not in the index" for url in missing]
    if found.indexed != found.items:
        found.differences.append(f"{found.indexed} of {found.items} items are found by a search")


def audit_alerts(found: Audit, log: Log) -> None:
    """Whether every alert that was claimed was delivered."""
    for record in log.table("alert-state").items(ALERT):
        alert = decode(Alert, record.value or b"")
        found.alerts += 1
        if alert.state != "sent":
            found.differences.append(f"alert {alert.alert_id} ({alert.title}) is {alert.state}")


def audit_receipts(found: Audit, book: AlertBook, wanted: Sequence[tuple[str, str]]) -> None:
    """Whether the receivers got what is ``wanted`` (subscription, URL), each under one id."""
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    bodies: dict[str, set[str]] = defaultdict(set)
    for one in book.receipts:
        ids[one.subscription, one.url].add(one.alert_id)
        bodies[one.alert_id].add(one.body)
    acknowledged = {(one.subscription, one.url) for one in book.acknowledged()}
    for name, url in wanted:
        known = ids.pop((name, url), set())
        found.second_alert_ids += len(known) > 1
        if len(known) > 1:
            found.differences.append(f"{name} was alerted of {url} under {len(known)} ids")
        if (name, url) not in acknowledged:
            found.differences.append(f"{name} was never alerted of {url}")
    found.differences += [f"{name} was alerted of {url}, which nobody asked for"
                          for name, url in ids]  # fmt: skip
    shared = Counter(alert_id for alert_ids in ids.values() for alert_id in alert_ids)
    found.differences += [f"alert id {one} names several articles" for one in shared
                          if shared[one] > 1]  # fmt: skip
    found.differences += [f"alert {alert_id} was sent with {len(texts)} bodies"
                          for alert_id, texts in bodies.items() if len(texts) > 1]  # fmt: skip
    found.differences += [f"a signature was wrong: {why}" for why in book.forged]
    if found.alerts != len(wanted):
        found.differences.append(f"{found.alerts} alerts are kept, {len(wanted)} were due")

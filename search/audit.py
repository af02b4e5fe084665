"""The audit: who received what, and who changed what. Kept a year in the topic ``audit``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.log import Log, NewRecord, Partition
from ingest.wire import SCHEMA, Time, decode, encode
from search.alert_state import Alert
from search.deliveries import Outcome
from search.subscriptions import redacted

TOPIC = "audit"
DELIVERED = "alert delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit.

    Attributes:
        what: ``alert delivered``, ``login``, or the request that changed something.
        by: The account that did it; ``local`` at this machine, empty for a delivery.
        owner: Whose it is.
        subject: The id (or name) of what was delivered or changed.
        target: Where an alert went, without its secrets.
        status: The receiver's answer, or ours.
    """

    at: Time
    what: str
    by: str = ""
    owner: str = ""
    subject: str = ""
    subscription: str = ""
    target: str = ""
    status: int = 0
    schema: int = SCHEMA


def audit_record(alert: Alert, target: str, outcome: Outcome, *, now: datetime) -> NewRecord:
    """That ``target`` acknowledged ``alert``: to be appended together with that outcome."""
    return record_of(
        AuditEntry(
            at=now,
            what=DELIVERED,
            owner=alert.owner,
            subject=alert.alert_id,
            subscription=alert.subscription,
            target=redacted(target),
            status=outcome.status,
        )
    )


def account_record(
    what: str, *, by: str, owner: str, subject: str = "", status: int = 0
) -> NewRecord:
    """That the account ``by`` did something, now."""
    entry = AuditEntry(
        at=datetime.now(UTC), what=what, by=by, owner=owner, subject=subject, status=status
    )
    return record_of(entry)


def record_of(entry: AuditEntry) -> NewRecord:
    """What to append."""
    return NewRecord(topic=TOPIC, key=entry.subject or entry.by, value=encode(entry))


def entries(
    log: Log, *, since: datetime | None = None, after: int = -1, owner: str = ""
) -> Iterator[tuple[int, AuditEntry]]:
    """Entries with their offsets, oldest first; those behind the offset ``after``."""
    partition = Partition(TOPIC)
    first, end = log.bounds(partition)
    offset = max(first, after + 1, log.offset_at(partition, since) if since else 0)
    while offset < end:
        records = log.read(partition, offset)
        if not records:
            return
        for record in records:
            entry = decode(AuditEntry, record.value or b"")
            if owner in ("", entry.owner):
                yield record.offset, entry
        offset = records[-1].offset + 1

"""What is shown of a subscription."""

from __future__ import annotations

from typing import Any

from ingest.log import Log
from ingest.wire import as_json, decode, format_time
from search.alert_state import SINCE, TOPIC, Since
from search.backfill import backfill_row, stored_backfills
from search.subscriptions import Subscription, redacted


def subscription_row(log: Log, one: Subscription) -> dict[str, Any]:
    """The JSON shape: secrets hidden, with ``since`` and ``active`` of its version.

    ``since`` is how many records of ``stories`` had been written before it counted; ``backfills``
    are its looks back, and how far they are.
    """
    shown: dict[str, Any] = as_json(one)
    table = log.table(TOPIC)
    record = table.get(SINCE + one.id)
    since = decode(Since, record.value) if record and record.value else None
    current = since is not None and since.query_version == one.query_version
    return {
        **shown,
        "to": [redacted(target) for target in one.to],
        "since": sum(since.offset.values()) if since and current else None,
        "active": format_time(since.active) if since and current else None,
        "backfills": [backfill_row(each) for _, each in stored_backfills(table, one.id)],
    }

"""Alerts into a topic of Kafka, for programs: below ``out.`` of our own prefix only."""

from __future__ import annotations

import asyncio

from ingest.errors import NotFoundError
from ingest.log import Log, NewRecord, TopicSpec
from search.deliveries import Outcome

OUT = "out."
RETENTION_DAYS = 7


async def publish(log: Log, name: str, alert_id: str, payload: str) -> Outcome:
    """One attempt: acknowledged once every copy in sync has it; a new topic is made.

    Raises:
        WirewatchError: Kafka does not take it.
    """
    topic = OUT + name
    record = NewRecord(topic=topic, key=alert_id, value=payload.encode())
    try:
        await asyncio.to_thread(log.append, [record])
    except NotFoundError:
        spec = TopicSpec(name=topic, retention_days=RETENTION_DAYS)
        await asyncio.to_thread(log.ensure_topics, [spec])
        await asyncio.to_thread(log.append, [record])
    return Outcome()

"""Backups in lines of progress; the last says what a restore will lack."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.backup import back_up, last_backup
from deploy.folder import DataFolder
from deploy.restore import finish_restoring
from deploy.settings import Settings
from ingest.errors import UsageError
from ingest.feeds import Feed
from ingest.log import Log
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode
from search.channel_store import Channel
from search.subscriptions import REFERENCE, Subscription, kind_of, redacted

Row = dict[str, Any]
"""A line of progress, ``done`` and ``total``; the last says what was made."""


def refuse_many_machines(settings: Settings) -> None:
    """Nothing, where one data folder holds everything. Raises UsageError."""
    if settings.log.backend == "kafka":
        raise UsageError(
            "backup with [log] kafka",
            sentence="With Kafka and Elasticsearch there is no data folder to back up.",
            hint="Replicate and mirror the topics of Kafka; the index is rebuilt from them "
            "(docs/many-machines.md).",
            code="many-machines",
        )


def backed_up(log: Log, folder: DataFolder, file: Path, *, secrets: bool) -> Iterator[Row]:
    """Write the backup ``file`` of ``folder``, whose log is open; raises as ``back_up``."""
    total = 0
    for done, total in back_up(folder, file, secrets=secrets):
        yield {"done": done, "total": total}
    last = last_backup(folder)
    size = last.bytes if last else 0
    lacks = [] if secrets else secretive(log)
    yield {"done": total, "total": total, "file": str(file), "bytes": size, "lacks": lacks}


def backed_up_at_rest(
    folder: DataFolder, file: Path, *, secrets: bool, wait_seconds: float
) -> Iterator[Row]:
    """As ``backed_up``, where nobody works on ``folder``; the index may be in any state."""
    with folder.lock(wait_seconds):
        finish_restoring(folder)
        if not folder.log.exists():
            yield from back_up(folder, file, secrets=secrets)  # type: ignore[misc] # it refuses
            return
        with contextlib.closing(SqliteLog(folder.log)) as log:
            yield from backed_up(log, folder, file, secrets=secrets)


def secretive(log: Log) -> list[str]:
    """Names of what cannot work without its secrets: subscriptions, channels, feeds with keys."""
    subscriptions = (
        decode(Subscription, record.value or b"") for record in log.table("subscriptions").items()
    )
    channels = (decode(Channel, record.value or b"") for record in log.table("channels").items())
    feeds = (decode(Feed, record.value or b"") for record in log.table("feeds").items())
    return [
        *(f"subscription {one.name}" for one in subscriptions if any(map(_is_secretive, one.to))),
        *(f"channel {one.name}" for one in channels if _is_secretive(one.target)),
        *(f"feed {redacted(one.url)}" for one in feeds if REFERENCE.search(one.url)),
    ]


def _is_secretive(target: str) -> bool:
    return kind_of(target) == "webhook" or REFERENCE.search(target) is not None

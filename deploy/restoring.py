"""A whole restore: the backup put in place, and the index built from its log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import structlog

from deploy.embedded import Embedded
from deploy.folder import DataFolder
from deploy.keeping import Row, secretive
from deploy.restore import Unpacked, finish_restoring, put_in_place, unpack
from deploy.settings import Settings
from ingest.errors import StoreError
from ingest.log import NewRecord
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.erasures import TOPIC, Erasures

logger = structlog.get_logger(__name__)


async def restored(
    settings: Settings, folder: DataFolder, file: Path, *, replacing: bool
) -> AsyncGenerator[Row]:
    """Put the backup ``file`` in place and build the index from its log; raises as ``unpack``.

    Erasures that ``folder`` knows and the backup does not are carried over.
    """
    with folder.lock():
        finish_restoring(folder)
        unpacked = await asyncio.to_thread(unpack, folder, file, replacing=replacing)
        await asyncio.to_thread(_carry_erasures, folder, unpacked)
        aside = await asyncio.to_thread(put_in_place, folder)
        async with Embedded.opened(settings, folder) as shell:
            done = total = 0
            steps = shell.indexer.rebuild()
            while (step := await asyncio.to_thread(next, steps, None)) is not None:
                done, total = step
                yield {"done": done, "total": total}
            await shell.carry_out_erasures()
            lacks = [] if unpacked.manifest.secrets else secretive(shell.log)
        yield {
            "done": done,
            "total": total,
            "file": str(file),
            "made": unpacked.manifest.at.isoformat(),
            "aside": str(aside or ""),
            "lacks": lacks,
        }


def _carry_erasures(folder: DataFolder, unpacked: Unpacked) -> None:
    """Have the backup know what was erased in ``folder`` since it was made."""
    if not folder.log.exists():
        return
    try:
        with contextlib.closing(SqliteLog(folder.log)) as before:
            known = Erasures(before)
            known.read()
    except StoreError as error:  # a damaged log is what a backup is for
        logger.warning("erasures cannot be read", reason=error.sentence)
        return
    with contextlib.closing(SqliteLog(unpacked.log)) as log:
        there = Erasures(log)
        there.read()
        for one in known:
            if there.get(one.article_id) is None:
                log.append(
                    [
                        NewRecord(topic=TOPIC, key=one.article_id, value=encode(one)),
                        NewRecord(topic="tagged", key=one.article_id, value=None),
                    ]
                )

"""A whole restore: the backup put in place, and the index built from its log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from deploy.embedded import Embedded
from deploy.folder import DataFolder
from deploy.keeping import Row, secretive
from deploy.restore import finish_restoring, put_in_place, unpack
from deploy.settings import Settings


async def restored(
    settings: Settings, folder: DataFolder, file: Path, *, replacing: bool
) -> AsyncGenerator[Row]:
    """Put the backup ``file`` in place and build the index from its log; raises as ``unpack``.

    Erasures that ``folder`` knows and the backup does not are carried over.
    """
    with folder.lock():
        finish_restoring(folder)
        unpacked = await asyncio.to_thread(unpack, folder, file, replacing=replacing)
        aside = await asyncio.to_thread(put_in_place, folder)
        async with Embedded.opened(settings, folder) as shell:
            done = total = 0
            steps = shell.indexer.rebuild()
            while (step := await asyncio.to_thread(next, steps, None)) is not None:
                done, total = step
                yield {"done": done, "total": total}
            lacks = [] if unpacked.manifest.secrets else secretive(shell.log)
        yield {
            "done": done,
            "total": total,
            "file": str(file),
            "made": unpacked.manifest.at.isoformat(),
            "aside": str(aside or ""),
            "lacks": lacks,
        }

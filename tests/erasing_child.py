"""Erases an article and kills itself: ``python -m tests.erasing_child FOLDER POINT ARTICLE``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from deploy.embedded import Embedded
from deploy.folder import DataFolder
from deploy.settings import load
from tests.crash_child import Deadly


async def _erase(folder: Path, point: str, article: str) -> None:
    data = DataFolder(folder / "data")
    with data.lock():
        settings = load(overrides=()).settings
        async with Embedded.opened(settings, data, crash_point=Deadly(point, 1)) as shell:
            await shell.erase(article, "court order 12", "admin")


if __name__ == "__main__":
    asyncio.run(_erase(Path(sys.argv[1]), *sys.argv[2:]))

"""The whole API for the command line, on a Unix socket.

``open_at_rest`` serves it from a command's own process where nobody runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from deploy.assembly import Parts
from deploy.distributed import Distributed
from deploy.doctor_apart import examine_apart
from deploy.folder import DataFolder
from deploy.local_routes import explaining, feed_files, keeping, quarantined, whole_lists
from deploy.serve import bind_socket, serving
from deploy.settings import Settings
from deploy.shell import Shell
from ingest.wire import as_json
from search.api import create_api
from search.routes.accounts import account_list


def create_local_api(shell: Shell) -> FastAPI:
    """The whole API for the command line."""
    app = create_api(shell.services(), from_network=False)
    app.include_router(whole_lists(shell), prefix="/local")
    app.include_router(feed_files(shell), prefix="/local")
    app.include_router(explaining(shell), prefix="/local")
    app.include_router(quarantined(shell), prefix="/local")
    app.include_router(keeping(shell), prefix="/local")
    app.include_router(account_list(shell.services()), prefix="/local")
    return app


@asynccontextmanager
async def open_at_rest(
    settings: Settings, folder: DataFolder, *, wait_seconds: float
) -> AsyncIterator[Path]:
    """The socket of the API over a data folder that nobody runs, for the length of the block.

    Over Kafka there is no folder to own: any number of commands may do so at once.
    """
    if settings.log.backend == "kafka":
        async with (
            Distributed.opened(settings, folder) as distributed,
            local_socket(distributed, folder.private_socket_path()) as path,
        ):
            yield path
        return
    from deploy.embedded import Embedded  # noqa: PLC0415  over Kafka not needed

    with folder.lock(wait_seconds):
        async with (
            Embedded.opened(settings, folder) as shell,
            local_socket(shell, folder.private_socket_path()) as path,
        ):
            yield path


async def examined_apart(settings: Settings, folder: DataFolder) -> list[dict[str, Any]]:
    """What the doctor can tell where the distributed shell cannot be opened."""
    async with contextlib.AsyncExitStack() as stack:
        return [as_json(check) for check in examine_apart(Parts(settings, folder, stack))]


@asynccontextmanager
async def local_socket(shell: Shell, path: Path) -> AsyncIterator[Path]:
    """Serve the whole API on the socket ``path`` for the length of the block."""
    app = create_local_api(shell)
    async with serving(app, bind_socket(path), end_streams=shell.live.close):
        try:
            yield path
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

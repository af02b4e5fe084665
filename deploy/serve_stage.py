"""``wirewatch serve``: the API of the distributed shell on a port."""

from __future__ import annotations

import asyncio

import structlog

from deploy.distributed import Distributed
from deploy.folder import DataFolder
from deploy.metrics import metrics_text
from deploy.serve import bind_port, serving_port
from deploy.settings import Settings
from deploy.signals import stop_on_signals
from processors.stage_page import serving_page

logger = structlog.get_logger(__name__)


async def serve(settings: Settings, folder: DataFolder) -> None:
    """Answer until SIGTERM or SIGINT.

    Raises:
        UsageError: the port is in use, or others could reach it without an account.
        UnavailableError: Kafka or Elasticsearch does not answer.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with Distributed.opened(settings, folder) as shell:
        listener = bind_port(settings.api, accounts=shell.accounts)
        async with serving_port(shell, listener) as port:
            with serving_page(_Page(shell), settings.stage):
                logger.info("running", stage="serve", api=settings.api.url(port))
                await stop.wait()


class _Page:
    """What a scraper may see of the whole system, who has no login to the API."""

    def __init__(self, shell: Distributed) -> None:
        self._shell = shell

    def fault(self) -> str:
        """The sentence of what does not work now; empty when all does."""
        return self._shell.missing()

    def metrics(self) -> bytes:
        """The figures in Prometheus' text form."""
        return metrics_text(self._shell)

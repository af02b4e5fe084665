"""The process around a Faust app: its signals, its end, what it says."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

import faust
import structlog

from ingest.errors import WirewatchError

BATCH_SECONDS = 5.0
STOP_SECONDS = 4.0
"""After SIGTERM, which promises an end within ten seconds (F34): so long for the batch in hand,
and so long for Faust, which waits for ever where Kafka is away."""

REPEAT_SECONDS = 60.0
LIKE_CHARS = 30
"""While Kafka is away aiokafka says so 130 times a second. What begins alike is alike."""

BROKEN = 70
"""Exit status where something unforeseen happened: EX_SOFTWARE of sysexits.h."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_events = structlog.get_logger(__name__)


class AgentWorker(faust.Worker):
    """Runs ``app`` until a signal or a fault; ``run`` is for the main thread.

    Attributes:
        hand: Held by the agent while it has a batch, and by the end for good.
    """

    def __init__(self, app: faust.App, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
        self.spinner = None
        self.hand = asyncio.Lock()
        self._failure: WirewatchError | None = None
        self._done = threading.Event()

    def run(self) -> int:
        """Work until the end; the exit status.

        Raises:
            WirewatchError: what ``fail`` was told.
        """
        status: object = 0
        try:
            self.execute_from_commandline()
        except SystemExit as ended:
            status = ended.code
        finally:
            self._done.set()
        if self._failure is not None:
            raise self._failure
        return int(status) if isinstance(status, int) else BROKEN

    def fail(self, error: Exception) -> None:
        """End because of ``error``; what is not acknowledged is done again. For any thread.

        Unforeseen errors end the process at once: Faust itself would acknowledge what is under
        way, or go on without the agent.
        """
        if not isinstance(error, WirewatchError):
            _events.critical("stage broke", reason=repr(error), exc_info=error)
            os._exit(BROKEN)
        self._failure = self._failure or error
        self.loop.call_soon_threadsafe(self._end, BROKEN)

    def install_signal_handlers(self) -> None:
        """SIGTERM and the first Ctrl-C end in good order, a second one at once."""
        for number in _SIGNALS:
            self.loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        for each in _SIGNALS:
            self.loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self._finishing = self.loop.create_task(self._finish())

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                await self.hand.acquire()
        except TimeoutError:
            _events.warning("batch left", reason="it took too long; it is done again")
        self._end(0)

    def _end(self, status: int) -> None:
        threading.Thread(target=self._end_late, args=(status,), daemon=True).start()
        self._schedule_shutdown(signal.SIGTERM)

    def _end_late(self, status: int) -> None:
        if not self._done.wait(STOP_SECONDS):
            _events.warning("faust left", reason="it did not stop", seconds=STOP_SECONDS)
            if self._failure is not None:  # ``run`` will not come to raise it
                _events.critical("stage ends", reason=self._failure.sentence)
            os._exit(status)


class _Events(logging.Handler):
    """Hands what a library logs to our events, the same at most once a minute."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """One event a record, unless its like was handed on just now."""
        like = str(record.msg)[:LIKE_CHARS]
        if record.created - self._said.get(like, 0.0) < REPEAT_SECONDS:
            return
        self._said[like] = record.created
        _events.log(
            record.levelno,
            "library says",
            library=record.name.partition(".")[0],
            text=record.getMessage(),
            exc_info=record.exc_info,
        )


def log_as_events() -> None:
    """Let warnings of Faust and its Kafka client appear as events, the rest not at all."""
    for name in ("faust", "mode", "aiokafka"):
        logger = logging.getLogger(name)
        logger.handlers = [_Events()]
        logger.setLevel(logging.WARNING)
        logger.propagate = False

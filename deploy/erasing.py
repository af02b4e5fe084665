"""Carrying erasures out on one machine: until no file of the data folder has a word of them."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import structlog

from ingest.errors import UnavailableError
from processors.erasures import Erasure
from processors.worker import Registrar
from search.erasing import Erasing
from search.index import Index
from search.indexer import Indexer
from search.sender import Sender

AGAIN_SECONDS = 1.0
"""Between two looks at whether the stages have let go of an article."""

LOOK_SECONDS = 600.0
"""Between two looks at whether an erased article was seen again: its bytes then go once more."""

ROUNDS_AT_REST = 20
"""A stage that is not done by then waits for something, such as room on the disk."""

_events = structlog.get_logger(__name__)


class Eraser:
    """Follows erasures through the stages, then deletes what is left in the files.

    ``run`` works beside the stages; ``at_rest`` where none of them runs.
    """

    def __init__(
        self,
        erasing: Erasing,
        *,
        index: Index,
        indexer: Indexer,
        registrar: Registrar,
        sender: Sender,
    ) -> None:
        self._erasing = erasing
        self._index = index
        self._indexer = indexer
        self._registrar = registrar
        self._sender = sender
        self._wanted = asyncio.Event()
        self._ended = threading.Event()

    def wake(self) -> None:
        """There is an erasure to be carried out."""
        self._wanted.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Carry erasures out until ``stop`` is set."""
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(self._end)
        try:
            while not stop.is_set():
                self._wanted.clear()
                is_done = await self._round()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS if is_done else AGAIN_SECONDS):
                        await self._wanted.wait()
        finally:
            stopping.cancel()

    def _end(self, _stopped: object) -> None:
        self._ended.set()
        self._wanted.set()

    async def at_rest(self) -> None:
        """Carry out what there is, stepping the stages; what waits is left to the next run."""
        for _ in range(ROUNDS_AT_REST):
            await asyncio.to_thread(self._step)
            await self._sender.forget_erased()
            if await self._round():
                return

    def _step(self) -> None:
        while self._registrar.step(0.0) or self._indexer.step(0.0):
            pass

    async def _round(self) -> bool:
        """Whether nothing is left to do."""
        try:
            if await asyncio.to_thread(self._alerts_speak):
                await self._sender.forget_erased(again=True)
                return False
            return await asyncio.to_thread(self._carried_out)
        except UnavailableError as error:
            _events.warning("erasing waits", reason=error.sentence)
            return False

    def _alerts_speak(self) -> bool:
        return any(map(self._erasing.alerts_speak, self._erasing.known().pending()))

    def _carried_out(self) -> bool:
        known = self._erasing.known()
        pending = known.pending()
        ready = [one for one in pending if self._is_let_go(one) and self._erasing.expunge(one)]
        # What was deleted stays in the index's files until they are made anew.
        if not all(map(known.was_finished, ready)) and not self._rebuilt():
            return False
        for one in ready:
            self._erasing.finish(one)
            _events.info("article erased", article=one.article_id, skipped=one.skipped)
        return len(ready) == len(pending)

    def _is_let_go(self, erasure: Erasure) -> bool:
        """Whether register and index have removed the article."""
        if self._erasing.stands(erasure):
            if not self._registrar.loop.lag():  # a crash came before the register was told
                self._erasing.tell_register(erasure)
            return False
        return self._index.get(erasure.article_id) is None

    def _rebuilt(self) -> bool:
        """Whether the index was built anew; cut short, what was built so far is discarded."""
        return not any(self._ended.is_set() for _ in self._indexer.rebuild())

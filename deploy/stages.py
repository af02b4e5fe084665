"""The loops in threads: tagging, register, index, alerts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from ingest.errors import WirewatchError

logger = structlog.get_logger(__name__)

JOIN_SECONDS = 10.0
"""A batch is done in less; SIGTERM promises an end within ten seconds (F34)."""


class Loop(Protocol):
    """A stage: take, do, write, then commit."""

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; finishes the batch in hand."""


@dataclass(slots=True)
class _Running:
    name: str
    loop: Loop
    thread: threading.Thread


class Stages:
    """Runs loops in threads; the first that fails stops them all."""

    def __init__(self, *, on_failure: Callable[[], object]) -> None:
        self._on_failure = on_failure
        self._stop = threading.Event()
        self._running: list[_Running] = []
        self.failure: WirewatchError | None = None

    def start(self, name: str, loop: Loop) -> None:
        """Run ``loop`` in a thread of its own."""
        thread = threading.Thread(target=self._run, args=(name, loop), name=name, daemon=True)
        self._running.append(_Running(name, loop, thread))
        thread.start()

    @property
    def running(self) -> bool:
        """Whether any loop was started and not stopped."""
        return bool(self._running) and not self._stop.is_set()

    def stop(self) -> None:
        """Let every loop finish its batch."""
        self._stop.set()
        for one in self._running:
            one.thread.join(JOIN_SECONDS)
            if one.thread.is_alive():
                logger.error("stage did not stop", stage=one.name, seconds=JOIN_SECONDS)

    def _run(self, name: str, loop: Loop) -> None:
        try:
            loop.run(self._stop)
        except WirewatchError as error:
            logger.warning("stage stopped", stage=name, reason=error.sentence, hint=error.hint)
            self.fail(name, error)
        except Exception as error:
            # Unforeseen: nothing was committed, so a restart does it again. Stop, loudly.
            logger.exception("stage broke", stage=name)
            self.fail(name, error)

    def fail(self, name: str, error: Exception) -> None:
        """Stop them all because of ``error``; the first counts."""
        self.failure = self.failure or (
            error
            if isinstance(error, WirewatchError)
            else WirewatchError(
                f"{name}: {type(error).__name__}: {error}",
                sentence=f"The stage {name} broke: {type(error).__name__}. Nothing is lost.",
                hint="Start again; if it comes back, report it with the log lines above.",
            )
        )
        self._on_failure()

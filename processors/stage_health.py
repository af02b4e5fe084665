"""Whether a stage that is a process of its own works: it may be silent, but not while work waits.

Asked from a thread of its own and measured in the log, so that a stage whose event loop hangs, or
whose library stopped giving it records without a word, is seen all the same.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ingest.errors import FencedError, UnavailableError

LOOK_SECONDS = 2.0
"""Between two looks at the lag."""


class StageHealth:
    """What a stage did, and how long it has been silent while records wait. For any thread.

    Attributes:
        lag: Records that wait, as of the last look.
        records: Records acknowledged since the start.
        quarantined: Records set aside since the start.
    """

    def __init__(
        self,
        stage: str,
        *,
        silent_seconds: float,
        pause: Callable[[], str] = lambda: "",
        figures: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """``pause`` says why the stage itself rests; ``figures`` are gauges of its own."""
        self.stage = stage
        self._pause = pause
        self._figures = figures
        self.lag = 0
        self.records = 0
        self.quarantined = 0
        self._limit = silent_seconds
        self._acked = self._moved = time.monotonic()
        self._away = ""

    def busy(self) -> None:
        """Note that work on a record ended: slow is not silent."""
        self._moved = time.monotonic()

    def acked(self, count: int) -> None:
        """Note that ``count`` records are done and acknowledged."""
        self.records += count
        self._acked = self._moved = time.monotonic()

    def look(self, lag: Callable[[], int]) -> None:
        """Ask for the lag; without lag, or while nobody knows it, silence does not count."""
        try:
            self.lag = lag()
            self._away = ""
        except UnavailableError as error:
            self._away = error.sentence
        except FencedError:  # the stage's own thread leaves its group now, and joins it again
            self.lag = 0
        if self._away or not self.lag or self._pause():
            self._moved = time.monotonic()

    def is_silent(self) -> bool:
        """Whether nothing was done for too long although records wait."""
        return time.monotonic() - self._moved > self._limit

    def fault(self) -> str:
        """The sentence of what does not work now; empty when all does."""
        if self.is_silent():
            return (
                f"The stage {self.stage} has acknowledged nothing for more than "
                f"{self._limit:g} s, while {self.lag} records wait."
            )
        return self._away or self._pause()

    def metrics(self) -> bytes:
        """The figures in Prometheus' text form."""
        return figures_of([self])

    def collect(self) -> Iterator[Metric]:
        """The figures, for a registry of Prometheus."""
        name = [self.stage]
        for metric, text, value in (
            ("lag", "Records that wait.", self.lag),
            (
                "last_ack_seconds",
                "Seconds since a record was acknowledged, or since the start.",
                time.monotonic() - self._acked,
            ),
            ("healthy", "1 while the stage works.", int(not self.fault())),
        ):
            gauge = GaugeMetricFamily(f"wirewatch_stage_{metric}", text, labels=["stage"])
            gauge.add_metric(name, value)
            yield gauge
        for metric, value in self._figures().items():
            gauge = GaugeMetricFamily(f"wirewatch_{self.stage}_{metric}", "Of this stage.")
            gauge.add_metric([], value)
            yield gauge
        for metric, text, value in (
            ("records", "Records acknowledged.", self.records),
            ("quarantined", "Records set aside.", self.quarantined),
        ):
            counter = CounterMetricFamily(f"wirewatch_stage_{metric}", text, labels=["stage"])
            counter.add_metric(name, value)
            yield counter


def figures_of(healths: Sequence[StageHealth]) -> bytes:
    """The figures of all of ``healths`` in Prometheus' text form."""
    families: dict[str, Metric] = {}
    for one in healths:
        for family in one.collect():
            families.setdefault(family.name, family)
            if families[family.name] is not family:
                families[family.name].samples += family.samples
    registry = CollectorRegistry()
    registry.register(_Families([*families.values()]))
    return generate_latest(registry)


class _Families:
    """Figures that were collected already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """They."""
        yield from self._families


@contextlib.contextmanager
def watched(
    health: StageHealth, lag: Callable[[], int], *, failed: Callable[[Exception], None]
) -> Iterator[None]:
    """Look every two seconds for the length of the block; ``failed`` is told why it must end."""
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(health, lag, ended, failed), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(
    health: StageHealth,
    lag: Callable[[], int],
    ended: threading.Event,
    failed: Callable[[Exception], None],
) -> None:
    while not ended.wait(LOOK_SECONDS):
        try:
            health.look(lag)
        except Exception as error:  # noqa: BLE001 - the watch must not end unseen
            failed(error)
            return
        if health.is_silent():
            failed(TimeoutError(health.fault()))
            return

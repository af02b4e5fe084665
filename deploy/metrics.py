"""The figures of a running shell in Prometheus' text form."""

from __future__ import annotations

from collections import Counter as Tally
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric

from ingest.errors import WirewatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.shell import Shell
    from processors.worker import Counts


class _Counted:
    """Counters that the stages keep themselves."""

    def __init__(self, counts: Counts, indexed: int) -> None:
        self._counts = counts
        self._indexed = indexed

    def collect(self) -> Iterator[Metric]:
        """The counters, since the start."""
        counts = self._counts
        decided = CounterMetricFamily(
            "wirewatch_articles", "Sightings by what the register decided.", labels=["verdict"]
        )
        decided.add_metric(["article"], counts.articles)
        decided.add_metric(["revision"], counts.revisions)
        decided.add_metric(["duplicate"], counts.duplicates)
        yield decided
        yield CounterMetricFamily("wirewatch_indexed", "Articles indexed.", self._indexed)


def metrics_text(shell: Shell) -> bytes:
    """Lag by stage, feeds by state, alerts by state, and what was decided since the start."""
    registry = CollectorRegistry()
    if shell.counts is not None:
        registry.register(_Counted(shell.counts, shell.indexer.indexed))
    lag = Gauge("wirewatch_lag_records", "Records not done yet.", ["stage"], registry=registry)
    for stage, behind in shell.lags().items():
        with suppress(WirewatchError):  # a store that is away or a stranger: ``ready`` tells it
            lag.labels(stage).set(behind())
    feeds = Gauge("wirewatch_feeds", "Feeds by state.", ["state"], registry=registry)
    states = Tally(health.state for health in shell.feeds.health(now=datetime.now(UTC)))
    for condition, number in states.items():
        feeds.labels(condition).set(number)
    alerts = Gauge("wirewatch_alerts", "Alerts by state.", ["state"], registry=registry)
    for state, number in shell.alert_counts().items():
        alerts.labels(state).set(number)
    endpoints = Gauge("wirewatch_receivers", "Receivers by state.", ["state"], registry=registry)
    for state, number in shell.receiver_counts().items():
        endpoints.labels(state).set(number)
    up = Gauge("wirewatch_ready", "1 while every stage runs.", registry=registry)
    up.set(0 if shell.missing() else 1)
    return generate_latest(registry)

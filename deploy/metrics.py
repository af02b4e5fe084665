"""The figures of a running shell in Prometheus' text form."""

from __future__ import annotations

from collections import Counter as Tally
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.embedded import Embedded


class _Counted:
    """Counters that the stages keep themselves."""

    def __init__(self, shell: Embedded) -> None:
        self._shell = shell

    def collect(self) -> Iterator[Metric]:
        """The counters, since the start."""
        counts = self._shell.registrar.counts
        decided = CounterMetricFamily(
            "wirewatch_articles", "Sightings by what the register decided.", labels=["verdict"]
        )
        decided.add_metric(["article"], counts.articles)
        decided.add_metric(["revision"], counts.revisions)
        decided.add_metric(["duplicate"], counts.duplicates)
        yield decided
        yield CounterMetricFamily(
            "wirewatch_indexed", "Articles indexed.", self._shell.indexer.indexed
        )


def metrics_text(shell: Embedded) -> bytes:
    """Lag by stage, feeds by state, alerts by state, and what was decided since the start."""
    registry = CollectorRegistry()
    registry.register(_Counted(shell))
    lag = Gauge("wirewatch_lag_records", "Records not done yet.", ["stage"], registry=registry)
    for stage, behind in shell.lags().items():
        lag.labels(stage).set(behind())
    feeds = Gauge("wirewatch_feeds", "Feeds by state.", ["state"], registry=registry)
    states = Tally(health.state for health in shell.feeds.health(now=datetime.now(UTC)))
    for condition, number in states.items():
        feeds.labels(condition).set(number)
    alerts = Gauge("wirewatch_alerts", "Alerts by state.", ["state"], registry=registry)
    for state, number in shell.alert_counts().items():
        alerts.labels(state).set(number)
    up = Gauge("wirewatch_ready", "1 while every stage runs.", registry=registry)
    up.set(0 if shell.missing() else 1)
    return generate_latest(registry)

"""The figures for Prometheus."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.embedded import Embedded
from deploy.metrics import metrics_text
from tests.shell import carry, opened


def figures(shell: Embedded) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(metrics_text(shell).decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def test_the_figures_say_what_was_done_and_what_lies_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    async with opened(tmp_path) as shell:
        shell.feeds.add("https://port.example/feed")
        shell.subscriptions.add(name="choir", query="choir", to=[f"file:{tmp_path}/a.jsonl"])
        before = figures(shell)
        assert before["wirewatch_ready",] == 1
        assert before["wirewatch_articles_total", "article"] == 0
        shell.feeds.remove(next(iter(shell.feeds.all())).id)
        await carry(shell)
        after = figures(shell)
        assert after["wirewatch_articles_total", "article"] == 3
        assert after["wirewatch_indexed_total",] == 3
        assert after["wirewatch_alerts", "sent"] == 1
        for stage in ("tag", "group", "index", "alert"):
            assert after["wirewatch_lag_records", stage] == 0

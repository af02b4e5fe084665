"""F60, the distributed part: a poller whose clock is years off, told by the log's time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from tests.newsroom import until
from tests.pollers import PATIENCE_SECONDS, Fleet, fleet

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def ships(kafka: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet(kafka, tmp_path) as made:
        yield made


@pytest.mark.parametrize(("years", "side"), [(10, "ahead of"), (-10, "behind")])
async def test_f60_a_pollers_clock_of_2036_or_2016_is_noticed_by_the_logs_time(
    ships: Fleet, years: int, side: str
) -> None:
    poller = await ships.start("first", years=years)
    ships.add(1)
    await until(lambda: bool(poller.health.get("clock")), seconds=PATIENCE_SECONDS)
    assert poller.health["clock"] == f"This machine's clock is 3650 days {side} the log's."
    assert poller.health["clock_offset_seconds"] == pytest.approx(365 * years * 86_400, abs=60)

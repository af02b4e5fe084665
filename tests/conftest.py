"""What every test may use: the evaluation data, where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import elasticsearch_server, kafka, kafka_server, mortal_kafka, server_files

__all__ = [
    "elasticsearch_server",
    "kafka",
    "kafka_server",
    "mortal_kafka",
    "server_files",
    "shared_data",
]

settings.register_profile("wirewatch", deadline=None)
settings.load_profile("wirewatch")
# No deadline an example: a busy machine is no fault. Every test has a time limit of its own.

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

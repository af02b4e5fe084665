"""A bulk loop before a fake Elasticsearch, with a clock that does not make anybody wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from search.elastic_bulk import Bulk
from search.elastic_client import connect
from search.elastic_operation import Operation
from search.elastic_pace import Pace
from search.elastic_settings import ElasticSettings
from tests.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as found:
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bulk(fake: FakeElasticsearch, clock: Clock) -> Iterator[Bulk]:
    settings = ElasticSettings(url=fake.url)
    client = connect(settings)
    yield Bulk(client, settings, pace=Pace(clock=clock, sleep=clock.sleep))
    client.close()


def operations(count: int, *, size: int = 10) -> list[Operation]:
    return [
        Operation(index="x", id=f"d{n}", version=n, body={"text": "x" * size}) for n in range(count)
    ]


def ids(count: int) -> set[str]:
    return {f"d{n}" for n in range(count)}


def first_times(times: int, refusal: Mapping[str, Any], *names: str) -> Any:
    """Refuses each of ``names`` so many times."""
    left = dict.fromkeys(names, times)

    def refuses(name: str) -> Mapping[str, Any] | None:
        if left.get(name, 0) > 0:
            left[name] -= 1
            return refusal
        return None

    return refuses

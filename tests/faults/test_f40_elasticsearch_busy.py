"""F40: Elasticsearch answers 429 or 503, for one document or for all, or not at all."""

from __future__ import annotations

from collections import deque

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from ingest.errors import UnavailableError
from search.elastic_bulk import Bulk
from search.elastic_pace import MAX_OPERATIONS
from tests.elastic_bulks import Clock, bulk, clock, fake, first_times, ids, operations
from tests.fake_elasticsearch import Answer, FakeElasticsearch, fault

__all__ = ["bulk", "clock", "fake"]

BUSY = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}


def test_f40_only_what_was_refused_as_busy_is_sent_again(
    fake: FakeElasticsearch, bulk: Bulk, clock: Clock
) -> None:
    fake.refuses = first_times(2, BUSY, "d1", "d3")
    assert bulk.write(operations(5)) == {}
    assert fake.sizes == [5, 2, 2]
    assert clock.slept == [1, 2]
    assert set(fake.taken) == ids(5)


def test_f40_a_busy_server_gets_smaller_requests_and_longer_waits(
    fake: FakeElasticsearch, bulk: Bulk, clock: Clock
) -> None:
    fake.bulks = deque([fault(429, "es_rejected_execution_exception")] * 2)
    assert bulk.write(operations(MAX_OPERATIONS)) == {}
    assert fake.sizes[:3] == [500, 250, 125]
    assert clock.slept == [1, 2]
    assert sum(fake.sizes[2:]) == 500
    assert set(fake.taken) == ids(500)


def test_f40_who_writes_is_told_to_come_back_and_goes_on_then(
    fake: FakeElasticsearch, bulk: Bulk, clock: Clock
) -> None:
    fake.bulks = deque([fault(503, "unavailable_shards_exception", "primary is red")] * 9)
    for _ in range(2):  # the second time nothing is asked: it is too early
        with pytest.raises(UnavailableError) as caught:
            bulk.write(operations(3))
        assert "refusing writes" in caught.value.sentence
        assert "primary is red" in caught.value.hint
        assert len(fake.sizes) == 4
    for waited in (8, 16, 32, 60, 60):
        clock.now += waited
        with pytest.raises(UnavailableError):
            bulk.write(operations(3))
    assert len(fake.sizes) == 9
    clock.now += 60
    assert bulk.write(operations(3)) == {}
    assert set(fake.taken) == ids(3)


def test_f40_the_server_is_left_alone_as_long_as_it_asks(
    fake: FakeElasticsearch, bulk: Bulk, clock: Clock
) -> None:
    fake.bulks = deque([fault(429, "circuit_breaking_exception", retry_after="30")])
    with pytest.raises(UnavailableError):
        bulk.write(operations(3))
    clock.now += 29 - 5
    with pytest.raises(UnavailableError):
        bulk.write(operations(3))
    assert len(fake.sizes) == 1
    clock.now += 5
    assert bulk.write(operations(3)) == {}
    assert clock.slept == [1]


@pytest.mark.parametrize("header", ["soon", "-1", "9" * 400, "Wed, 21 Oct 2015 07:28:00 GMT", "0"])
def test_f40_an_odd_retry_after_does_no_harm(
    fake: FakeElasticsearch, bulk: Bulk, clock: Clock, header: str
) -> None:
    fake.bulks = deque([fault(503, "x", retry_after=header)])
    try:
        bulk.write(operations(1))
    except UnavailableError:
        clock.now += 60
        bulk.write(operations(1))
    assert set(fake.taken) == ids(1)


def test_f40_an_answer_that_never_came_is_no_loss(fake: FakeElasticsearch, bulk: Bulk) -> None:
    fake.bulks = deque([Answer(0)])
    with pytest.raises(UnavailableError) as caught:
        bulk.write(operations(3))
    assert fake.url in caught.value.sentence
    assert bulk.write(operations(3)) == {}
    assert set(fake.taken) == ids(3)


def test_f40_an_answer_that_says_nothing_of_some_documents_counts_for_none(
    fake: FakeElasticsearch, bulk: Bulk
) -> None:
    fake.bulks = deque([Answer(body={"items": [{"index": {"status": 201}}], "errors": False})])
    assert bulk.write(operations(3)) == {}
    assert fake.sizes == [3, 3]

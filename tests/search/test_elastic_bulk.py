"""The bulk loop; what faults do to it is in tests/faults."""

from __future__ import annotations

from collections import deque

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from search.elastic_bulk import Bulk
from search.elastic_operation import Operation
from tests.elastic_bulks import bulk, clock, fake, first_times, ids, operations
from tests.fake_elasticsearch import Answer, FakeElasticsearch, fault

__all__ = ["bulk", "clock", "fake"]


def test_all_is_written_in_requests_of_limited_count_and_bytes(
    fake: FakeElasticsearch, bulk: Bulk
) -> None:
    assert bulk.write(operations(1200)) == {}
    assert fake.sizes == [500, 500, 200]
    fake.sizes.clear()
    assert bulk.write(operations(12, size=1_000_000)) == {}
    assert fake.sizes == [4, 4, 4]
    assert bulk.write(operations(1, size=6_000_000)) == {}
    assert set(fake.taken) == ids(1200)


def test_what_is_too_large_for_a_request_is_split_and_alone_refused(
    fake: FakeElasticsearch, bulk: Bulk
) -> None:
    fake.bulks = deque([Answer(413), None, Answer(413), None, Answer(413)])
    refused = bulk.write(operations(4))
    assert fake.sizes == [4, 2, 2, 1, 1]
    assert refused.keys() == {"d3"}
    assert set(fake.taken) == {"d0", "d1", "d2"}


def test_a_request_refused_for_one_document_is_split_until_that_is_found(
    fake: FakeElasticsearch, bulk: Bulk
) -> None:
    odd = fault(400, "action_request_validation_exception", "id is odd")
    fake.bulks = deque([odd, odd, odd])
    refused = bulk.write(operations(4))
    assert refused == {"d0": "action_request_validation_exception: id is odd"}
    assert set(fake.taken) == {"d1", "d2", "d3"}


@pytest.mark.parametrize(
    "operation",
    [
        Operation(index="x", id="", version=1, body={}),
        Operation(index="x", id="é" * 257, version=1, body={}),
        Operation(index="x", id="a\0b", version=1, body={}),
        Operation(index="x", id="\ud800", version=1, body={}),
        Operation(index="x", id="a", version=-1, body={}),
        Operation(index="x", id="a", version=1 << 63, body={}),
        Operation(index="x", id="a", version=1, body={"text": "\udc00"}),
        Operation(index="x", id="a", version=1, body={"number": float("nan")}),
        Operation(index="x", id="a", version=1, body={"bytes": b"x"}),
    ],
)
def test_what_would_spoil_a_whole_request_is_refused_before(
    fake: FakeElasticsearch, bulk: Bulk, operation: Operation
) -> None:
    assert bulk.write([*operations(2), operation]).keys() == {operation.id}
    assert fake.sizes == [2]


def test_a_document_without_a_body_is_deleted(fake: FakeElasticsearch, bulk: Bulk) -> None:
    gone = {"status": 404, "result": "not_found"}
    fake.refuses = first_times(1, gone, "b")
    deletions = [Operation(index="x", id=name, version=3, body=None) for name in "ab"]
    assert bulk.write([*operations(1), *deletions]) == {}
    assert '"delete"' in fake.seen[-1]
    assert bulk.write([]) == {}

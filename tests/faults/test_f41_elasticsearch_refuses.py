"""F41: a document does not fit, an index is blocked, deleted, or hidden by a wrong alias."""

from __future__ import annotations

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from ingest.errors import ForeignStoreError, UnavailableError
from search.elastic_bulk import Bulk
from tests.elastic_bulks import Clock, bulk, clock, fake, first_times, operations
from tests.fake_elasticsearch import FakeElasticsearch

__all__ = ["bulk", "clock", "fake"]

BLOCKED = {
    "status": 429,
    "error": {
        "type": "cluster_block_exception",
        "reason": "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage"
        " watermark, index has read-only-allow-delete block];",
    },
}
UNPARSED = {
    "status": 400,
    "error": {
        "type": "document_parsing_exception",
        "reason": "failed to parse field [seen] of type [date]",
    },
}


def test_f41_one_document_that_does_not_fit_is_refused_with_the_field(
    fake: FakeElasticsearch, bulk: Bulk, clock: Clock
) -> None:
    fake.refuses = first_times(1, UNPARSED, "d1")
    refused = bulk.write(operations(3))
    assert refused.keys() == {"d1"}
    assert "[seen]" in refused["d1"]
    assert set(fake.taken) == {"d0", "d2"}
    assert clock.slept == []


def test_f41_a_blocked_index_is_a_pause_and_blames_no_document(
    fake: FakeElasticsearch, bulk: Bulk, clock: Clock
) -> None:
    fake.refuses = lambda _: BLOCKED
    with pytest.raises(UnavailableError) as caught:
        bulk.write(operations(3))
    assert "disk is above 95 %" in caught.value.sentence
    assert caught.value.code == "disk-full"
    fake.refuses = lambda _: None
    clock.now += 60
    assert bulk.write(operations(3)) == {}


def test_f41_a_deleted_index_stops_the_stage(fake: FakeElasticsearch, bulk: Bulk) -> None:
    gone = {"status": 404, "error": {"type": "index_not_found_exception", "reason": "no such"}}
    fake.refuses = lambda _: gone
    with pytest.raises(ForeignStoreError) as caught:
        bulk.write(operations(3))
    assert "The index x is gone" in caught.value.sentence
    assert "wirewatch reindex" in caught.value.hint

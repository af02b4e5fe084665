"""F33, Elasticsearch's part: killed -9 in the midst of writes, it loses nothing it acknowledged."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from deploy.servers.elasticsearch import ElasticsearchServer
from ingest.errors import UnavailableError
from processors.query import parse
from search.elastic_index import ElasticIndex
from search.elastic_settings import ElasticSettings
from search.index import Checkpoint
from tests.story_records import stories

TRUCE = parse("truce")
BATCH = 50
ENOUGH_BATCHES = 12


class Filler(threading.Thread):
    """Writes batch after batch; ``stored`` checkpoints were acknowledged."""

    def __init__(self, index: ElasticIndex) -> None:
        super().__init__()
        self.index = index
        self.stored = 0
        self.failure: UnavailableError | None = None

    def run(self) -> None:
        everything = stories(5_000)
        while self.failure is None:
            chosen = everything[self.stored : self.stored + BATCH]
            reached = self.stored + len(chosen)
            try:
                self.index.write(chosen, checkpoint=Checkpoint(log="a-log", stories={0: reached}))
            except UnavailableError as error:
                self.failure = error
            else:
                self.stored = reached


@pytest.mark.timeout(300)  # two starts
def test_f33_a_server_killed_in_the_midst_of_writes_has_all_that_it_acknowledged(
    mortal_elasticsearch: ElasticsearchServer,
) -> None:
    mortal = mortal_elasticsearch
    index = ElasticIndex(ElasticSettings(url=mortal.url))
    filler = Filler(index)
    filler.start()
    until = time.monotonic() + 60
    while filler.stored < ENOUGH_BATCHES * BATCH and time.monotonic() < until:
        time.sleep(0.01)
    mortal.kill()
    filler.join()
    index.close()
    assert filler.failure is not None
    assert "is not reachable" in filler.failure.sentence
    mortal.start()
    index = ElasticIndex(ElasticSettings(url=mortal.url))
    found = index.checkpoint()
    assert found is not None
    assert found.stories[0] >= filler.stored >= ENOUGH_BATCHES * BATCH
    index.refresh()
    assert index.count(TRUCE) >= found.stories[0]
    again = stories(found.stories[0] + BATCH)
    assert index.write(again, checkpoint=replace(found, stories={0: len(again)})).rejected == {}
    index.refresh()
    assert index.count(TRUCE) == len(again)
    index.close()

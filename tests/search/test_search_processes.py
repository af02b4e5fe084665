"""Searching in other processes: the same answers, and none the worse where one dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import QueryError, UsageError
from processors.query import parse
from search.index import Checkpoint, SearchRequest, SearchResult
from search.search_processes import SearchProcesses
from search.tantivy_index import TantivyIndex
from tests.story_records import stories

QUERIES = ("truce", "truce talks", "number7 OR number12", "truce NEAR/2 number30", "nothing")
SOON = 0.2
DEADLINE = 60.0


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[SearchProcesses]:
    found = SearchProcesses(tmp_path / "index", most=1)
    yield found
    found.close()


@pytest.fixture
def index(tmp_path: Path, processes: SearchProcesses) -> Iterator[TantivyIndex]:
    found = TantivyIndex(tmp_path / "index", processes=processes)
    write(found, 60)
    yield found
    found.close()


def write(index: TantivyIndex, count: int) -> None:
    index.write(stories(count), checkpoint=Checkpoint(log="test", stories={0: count}))
    index.refresh()


def request(query: str, **more: Any) -> SearchRequest:
    return SearchRequest(query=parse(query), **more)


def until(found: Callable[[], SearchResult | None]) -> SearchResult:
    """The first answer of a process: the first one has to start."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        result = found()
        if result is not None:
            return result
        time.sleep(0.02)
    raise TimeoutError


def without_time(result: SearchResult) -> SearchResult:
    return SearchResult(
        hits=result.hits,
        total=result.total,
        relation=result.relation,
        after=result.after,
        facets=result.facets,
        histogram=result.histogram,
    )


def test_another_process_answers_as_this_one_does(
    index: TantivyIndex, processes: SearchProcesses
) -> None:
    until(lambda: processes.search(request("truce"), is_urgent=True))
    theirs = []
    for query in QUERIES:
        found = processes.search(asked(query), is_urgent=True)
        assert found is not None
        theirs.append(without_time(found))
    processes.close()
    assert theirs == [without_time(index.search(asked(query))) for query in QUERIES]
    assert theirs[0].total == 60


def asked(query: str) -> SearchRequest:
    return request(query, facets=("topic", "source"), interval="1d", size=7)


def test_what_is_written_later_is_found_too_and_after_a_rebuild(
    index: TantivyIndex, processes: SearchProcesses
) -> None:
    asked = request("truce")
    assert until(lambda: processes.search(asked, is_urgent=True)).total == 60
    write(index, 80)
    assert until(lambda: processes.search(asked, is_urgent=True)).total == 80
    successor = index.successor()
    successor.write(stories(5), checkpoint=Checkpoint(log="test", stories={0: 5}))
    successor.take_over()
    assert until(lambda: processes.search(asked, is_urgent=True)).total == 5


def test_faults_of_a_query_are_said_as_they_are_here(
    index: TantivyIndex, processes: SearchProcesses
) -> None:
    until(lambda: processes.search(request("truce"), is_urgent=True))
    with pytest.raises(UsageError) as there:
        processes.search(request("truce", after="x"), is_urgent=True)
    with pytest.raises(UsageError) as here:
        index.search(request("truce", after="x"))
    assert there.value.as_json() == here.value.as_json()
    assert not isinstance(there.value, QueryError)


def test_a_process_that_dies_costs_no_search(
    index: TantivyIndex, processes: SearchProcesses
) -> None:
    asked = request("truce")
    until(lambda: processes.search(asked, is_urgent=True))
    (child,) = processes._idle
    os.kill(child.process.pid, signal.SIGKILL)
    assert index.search(asked).total == 60
    assert until(lambda: processes.search(asked, is_urgent=True)).total == 60


def test_one_reader_at_a_time_needs_no_process(
    index: TantivyIndex, processes: SearchProcesses
) -> None:
    for query in QUERIES:
        index.search(request(query))
    assert processes._started == 0


def test_readers_at_once_get_one(index: TantivyIndex, processes: SearchProcesses) -> None:
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            assert index.search(request("truce")).total == 60

    readers = [threading.Thread(target=read) for _ in range(3)]
    for one in readers:
        one.start()
    time.sleep(SOON)
    stop.set()
    for one in readers:
        one.join()
    # Nobody else asks for one to be started.
    until(lambda: processes.search(request("truce"), is_urgent=False))


def test_nothing_is_left_behind(index: TantivyIndex, processes: SearchProcesses) -> None:
    until(lambda: processes.search(request("truce"), is_urgent=True))
    (child,) = processes._idle
    index.close()
    assert child.process.poll() is not None
    assert processes.search(request("truce"), is_urgent=True) is None

"""F47: very many subscriptions, the same query twice, an empty one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from ingest.errors import QueryError
from processors.document import document
from processors.query import parse
from processors.stored_queries import StoredQueries
from search.caller import LOCAL
from search.subscription_changes import Changes
from tests.alerting import Newsdesk, story

FEW, MANY = 1_000, 100_000
ADDED = 4_000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path)
    yield made
    made.close()


def add(desk: Newsdesk, first: int, last: int) -> None:
    wanted = [
        Changes(name=f"s{number}", query=f"place{number} AND ship{number % 97}", to=["stdout:"])
        for number in range(first, last)
    ]
    outcomes = desk.store.put(wanted, who=LOCAL, from_network=False)
    assert outcomes == ["added"] * len(wanted)


def test_f47_an_article_costs_by_what_it_says_not_by_who_listens() -> None:
    seen = document(story("a", "The truce at place7 holds, says ship7. " * 20).article, ())

    def cost(count: int) -> float:
        queries = {str(n): parse(f"place{n} AND ship{n % 97}") for n in range(count)}
        engine = StoredQueries(queries)
        assert engine.match(seen) == ["7"]
        best = float("inf")
        for _ in range(20):
            started = time.process_time()
            for _ in range(20):
                engine.match(seen)
            best = min(best, time.process_time() - started)
        return best

    few, many = cost(FEW), cost(MANY)
    print(f"{many / few:.2f} times the work for 100 times the subscriptions")
    assert many < 5 * few


def test_f47_thousands_are_taken_up_at_once_and_each_gets_its_article(desk: Newsdesk) -> None:
    add(desk, 0, ADDED)
    desk.settle()
    desk.publish(
        story("a", "place17 and ship17"), story("b", f"place{ADDED - 1} ship{(ADDED - 1) % 97}")
    )
    desk.settle()
    assert sorted(one.subscription_name for one in desk.alerts()) == ["s17", f"s{ADDED - 1}"]
    assert [one.name for one in islice(desk.store.after(""), 3)]
    assert desk.store.get("s3999").id


def test_f47_one_more_reads_one_record_however_many_there_are(
    desk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(desk, 0, 2_000)
    read: list[int] = []
    log = desk.log
    real = log.read

    def counted(*given: object, **more: object) -> object:
        found = real(*given, **more)  # type: ignore[arg-type] # handed through
        read.append(len(found))
        return found

    desk.subscribe("first")
    monkeypatch.setattr(log, "read", counted)
    desk.subscribe("second")
    assert sum(read) <= 1


def test_f47_the_same_query_twice_alerts_both(desk: Newsdesk) -> None:
    for name in ("one", "two"):
        desk.subscribe(name, "truce")
    desk.settle()
    desk.publish(story("a"))
    desk.settle()
    assert sorted(one.subscription_name for one in desk.alerts()) == ["one", "two"]


@pytest.mark.parametrize("query", ["", "   ", "()"])
def test_f47_an_empty_query_is_refused_with_a_sentence(desk: Newsdesk, query: str) -> None:
    with pytest.raises(QueryError) as caught:
        desk.subscribe("s", query)
    assert caught.value.sentence
    assert caught.value.hint
    assert desk.store.all() == []

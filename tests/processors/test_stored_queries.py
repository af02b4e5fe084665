"""Stored queries that change while they are matched."""

from __future__ import annotations

from threading import Event, Thread

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from processors.analysis import analyse
from processors.document import Document
from processors.query import parse
from processors.query_tree import Query
from processors.reference import matches
from processors.stored_queries import StoredQueries

DOCUMENTS = [Document(analyse("Truce"), analyse(text)) for text in ("talks", "war talks", "us")]
NAMES = st.sampled_from("abcdef")
QUERIES = st.sampled_from(["truce", "talks", "war", "NOT us", "talks NEAR/2 war"]).map(parse)


class Changing(RuleBasedStateMachine):
    """Whatever is put, removed and compacted, matching is as of a plain dict."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Query] = {"a": parse("truce"), "b": parse("war")}
        self.stored = StoredQueries(self.model)

    @rule(name=NAMES, query=QUERIES)
    def put(self, name: str, query: Query) -> None:
        self.model[name] = query
        self.stored.put(name, query)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        self.model.pop(name, None)
        self.stored.remove(name)

    @rule()
    def compact(self) -> None:
        self.stored.compact()
        assert self.stored.changes == 0

    @invariant()
    def agrees(self) -> None:
        assert len(self.stored) == len(self.model)
        assert {name for name in "abcdef" if name in self.stored} == set(self.model)
        for document in DOCUMENTS:
            expected = sorted(name for name, one in self.model.items() if matches(one, document))
            assert sorted(self.stored.match(document)) == expected


TestChanging = Changing.TestCase
TestChanging.settings = settings(max_examples=100, deadline=None)


def test_changes_during_a_compaction_are_kept() -> None:
    stored = StoredQueries({str(number): parse(f"word{number}") for number in range(3000)})
    started = Event()

    def compact() -> None:
        started.set()
        stored.compact()

    thread = Thread(target=compact)
    thread.start()
    started.wait()
    for number in range(50):
        stored.put(f"new {number}", parse("truce"))
        stored.remove(str(number))
    thread.join()
    document = Document(analyse("truce"), analyse("word1 word49 word50"))
    assert sorted(stored.match(document)) == sorted([*(f"new {n}" for n in range(50)), "50"])
    stored.compact()
    assert stored.changes == 0
    assert sorted(stored.match(document)) == sorted([*(f"new {n}" for n in range(50)), "50"])


def test_a_query_put_back_as_it_was_is_found_once() -> None:
    query = parse("truce")
    stored = StoredQueries({"a": query})
    stored.remove("a")
    stored.put("a", query)
    assert stored.match(DOCUMENTS[0]) == ["a"]
    stored.compact()
    assert stored.match(DOCUMENTS[0]) == ["a"]

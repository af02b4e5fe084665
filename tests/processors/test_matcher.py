"""The stored-query engine says what the definition says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ingest.errors import QueryError
from processors.analysis import analyse
from processors.document import Document, Metadata
from processors.matcher import Matcher
from processors.query import parse
from processors.query_tree import Query
from processors.reference import matches
from tests.processors.query_strategies import documents, queries


def read(body: str, *, title: str = "", metadata: Metadata | None = None) -> Document:
    return Document(analyse(title), analyse(body), metadata or Metadata())


def matched(texts: list[str], document: Document) -> list[str]:
    return sorted(Matcher({text: parse(text) for text in texts}).match(document))


def parsed(texts: list[str]) -> dict[str, Query]:
    found = {}
    for text in texts:
        try:
            found[text] = parse(text)
        except QueryError:
            continue
    return found


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(queries(), min_size=1, max_size=8), st.lists(documents(), min_size=1, max_size=3))
def test_the_matcher_says_what_the_definition_says(texts: list[str], found: list[Document]) -> None:
    stored = parsed(texts)
    assume(stored)
    matcher = Matcher(stored)
    for document in found:
        expected = {text for text, query in stored.items() if matches(query, document)}
        assert set(matcher.match(document)) == expected


def test_a_matcher_without_queries_matches_nothing() -> None:
    assert Matcher({}).match(read("truce")) == []


def test_equal_queries_of_several_people_are_all_found() -> None:
    stored = {str(number): parse(" truce " * (number + 1)) for number in range(3)}
    stored |= {f"again {number}": parse("truce  talks") for number in range(2)}
    found = Matcher(stored).match(read("Truce talks"))
    assert sorted(found) == ["0", "1", "2", "again 0", "again 1"]


def test_a_query_of_absence_alone_matches_what_lacks_the_word() -> None:
    assert matched(["NOT truce", "-talks", "NOT (truce OR war)"], read("talks")) == [
        "NOT (truce OR war)",
        "NOT truce",
    ]


def test_a_barred_word_bars_in_title_and_body_alike() -> None:
    assert matched(["talks -truce"], read("talks", title="A truce")) == []
    assert matched(["talks -title:truce"], read("talks truce")) == ["talks -title:truce"]


def test_a_phrase_does_not_reach_from_the_title_into_the_body() -> None:
    assert matched(['"truce talks"', "*e talks"], read("talks", title="truce")) == ["*e talks"]


def test_more_clauses_than_are_counted_are_all_needed() -> None:
    words = [f"word{number}" for number in range(20)]
    query = " ".join(words)
    assert matched([query], read(query)) == [query]
    for word in words:
        assert matched([query], read(query.replace(word, "other"))) == []


def test_one_word_in_many_zones_is_one_pattern_with_many_leaves() -> None:
    texts = ["truce", "title:truce", "lead:truce", "body:truce", "=Truce", "=truce"]
    document = read("One. Two. A truce here.", title="Truce")
    assert matched(texts, document) == sorted(set(texts) - {"lead:truce"})


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_at_least_counts_different_operands(count: int) -> None:
    query = f"ATLEAST/{count}(one two three four)"
    assert bool(matched([query], read("three, one and one"))) is (count <= 2)


def test_field_values_are_found_without_any_word() -> None:
    metadata = Metadata(source="news.bbc.co.uk", language="ar", topics=("arms@review",))
    texts = ["source:bbc.co.uk", "source:c.co.uk", "lang:ar", "topic:arms", "topic:arms@review"]
    assert matched(texts, read("", metadata=metadata)) == [
        "lang:ar",
        "source:bbc.co.uk",
        "topic:arms@review",
    ]


def test_time_ranges_are_verified_in_searches() -> None:
    assert matched(["seen:>2026-11-01"], read("x")) == []

"""A facet's link changes the query as a person would, and takes it back."""

from __future__ import annotations

import pytest

from processors.query import parse
from search.pages.filters import clause_of, has_filter, toggled, with_filter, without_filter


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "source:bbc.co.uk"),
        ("truce", "truce source:bbc.co.uk"),
        ("truce OR talks", "(truce OR talks) source:bbc.co.uk"),
        ("truce AND talks", "truce AND talks source:bbc.co.uk"),
    ],
)
def test_a_filter_is_put_behind_and_taken_away_again(query: str, expected: str) -> None:
    found = with_filter(query, "source", "bbc.co.uk")
    assert found == expected
    assert has_filter(found, "source", "bbc.co.uk")
    parse(found)
    assert without_filter(found, "source", "bbc.co.uk") == query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("topic:a AND truce", "truce"),
        ("truce AND topic:a AND talks", "truce AND talks"),
        ("truce topic:a talks", "truce talks"),
        ("truce talks", "truce talks"),
        ("(a OR b) topic:a (c OR d)", "(a OR b) (c OR d)"),
    ],
)
def test_a_filter_is_cut_out_wherever_it_stands(query: str, expected: str) -> None:
    assert without_filter(query, "topic", "a") == expected


def test_a_filter_below_an_or_is_no_filter_of_the_whole() -> None:
    assert not has_filter("truce OR topic:a", "topic", "a")
    assert not has_filter("truce -topic:a", "topic", "a")


def test_an_odd_value_is_quoted() -> None:
    assert clause_of("source", "bbc.co.uk") == "source:bbc.co.uk"
    assert clause_of("tag", 'a "b" c') == 'tag:"a b c"'


@pytest.mark.parametrize("query", ["", "truce", "truce OR talks"])
def test_toggled_twice_a_query_is_as_it_was(query: str) -> None:
    once = toggled(query, "lang", "ar")
    assert has_filter(once, "lang", "ar")
    assert toggled(once, "lang", "ar") == query

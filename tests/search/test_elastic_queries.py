"""Which queries Elasticsearch answers exactly, and what it is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from processors.query import parse
from search.translate import Translation, translate

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from search.elastic_queries import Dsl, ElasticQueries

MATCH = {"match": {"query": "a"}}


def translated(text: str, *, intervals: bool = True) -> Translation[Dsl]:
    return translate(parse(text, where="search").root, ElasticQueries(intervals=intervals))


def asked(text: str) -> Any:
    """What a query for the title is asked as."""
    return translated(f"title:({text})").query


@pytest.mark.parametrize(
    "text",
    [
        *("truce", "truc*", "*uce", "t?uce", "=US", "title:truce", "lead:=US", "body:tru*", "停?"),
        *('"arms transfers"', '"arms trans*"', "a AND b", "a OR b", "NOT a", "a -b", "-a -b"),
        *("ATLEAST/2(a b c)", "a NEAR/5 b", "a ONEAR/50 b", "tr* NEAR/50 arm*", "a NEAR/3 a"),
        *("(a OR b OR c) NEAR/50 (d OR e)", '"a b" NEAR/2 ("c d" OR e)', "source:bbc.co.uk"),
        *("=US NEAR/5 arms", '"=US arms"', "a NOT WITHIN b", '(a OR "b c") NOT WITHIN "x b* c"'),
        *("a SAMESENT b", "NOT (a SAMESENT b)", '(a OR "b c") SAMESENT (=US OR d*)'),
        *("topic:arms@review", "published:2026-11-01", "seen:>2026-11-01", "停火", f"a{'?' * 200}"),
    ],
)
def test_the_engine_answers_exactly(text: str) -> None:
    assert translated(text).exact


@pytest.mark.parametrize(
    "text",
    [
        *("*a?????", "NOT *a?????", "c OR *a?????", '"*a????? b"', "*a????? SAMESENT b"),
        *(f"*{'ab' * 40}", f"{'*a' * 40} NEAR/2 b", f"a{'?' * 200}*"),
    ],
)
def test_the_engine_gives_candidates(text: str) -> None:
    assert not translated(text).exact


@pytest.mark.parametrize(
    "text", ['"arms trans*"', "tr* NEAR/5 arms", "a NOT WITHIN b", "a SAMESENT b"]
)
def test_what_takes_intervals_becomes_candidates_where_the_engine_refused_them(text: str) -> None:
    assert not translated(text, intervals=False).exact
    assert translated('trans* "arms transfers"', intervals=False).exact


def test_more_pairs_than_the_engine_takes_are_verified() -> None:
    many = " OR ".join(f"w{number}" for number in range(100))
    assert translated(f"({many}) NEAR/5 (a OR b)").exact
    assert not translated(f"({many}) NEAR/5 (a OR b OR c OR d OR e OR f)").exact


def test_words_and_plain_phrases_are_asked_as_such() -> None:
    assert asked("truce") == {"term": {"title_words": "truce"}}
    assert asked("=US") == {"term": {"title_cased": "US"}}
    assert asked("tru*e") == {"wildcard": {"title_words": {"value": "tru*e"}}}
    assert asked('"arms transfers"') == {"match_phrase": {"title_words": "arms transfers"}}


def test_a_query_without_a_zone_asks_title_and_body_but_not_the_lead() -> None:
    assert translated("truce").query == {
        "bool": {
            "should": [{"term": {"title_words": "truce"}}, {"term": {"body_words": "truce"}}],
            "minimum_should_match": 1,
        }
    }


def test_near_is_asked_in_both_orders_and_onear_in_one() -> None:
    both = asked("a NEAR/3 b")["bool"]["should"]
    orders = [one["intervals"]["title_words"]["all_of"]["intervals"] for one in both]
    assert orders[0] == orders[1][::-1]
    assert orders[0][0] == MATCH
    one = asked("a ONEAR/3 b")["intervals"]["title_words"]["all_of"]
    assert (one["ordered"], one["max_gaps"]) == (True, 3)


def test_operands_of_different_widths_are_asked_apart() -> None:
    assert len(asked('(a OR "b c" OR d) ONEAR/3 e')["bool"]["should"]) == 2
    assert len(asked('(a OR "b c" OR d) ONEAR/3 (e OR "f g")')["bool"]["should"]) == 4


def test_a_pattern_wider_than_the_engine_takes_keeps_its_ends() -> None:
    pattern = f"ab{'c*' * 40}de"
    assert asked(pattern) == {"wildcard": {"title_words": {"value": "abc*de"}}}
    assert asked("*a?????") == {"wildcard": {"title_words": {"value": "*"}}}


def test_times_are_asked_in_whole_milliseconds() -> None:
    moment = datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    found = ElasticQueries().between("seen", moment, moment)
    assert found == {"range": {"seen": {"gte": 1, "lt": 1, "format": "epoch_millis"}}}


def test_what_is_absent_is_looked_for_in_all_articles() -> None:
    found = asked("NOT a")["bool"]
    assert found["must"] == [{"match_all": {}}]
    assert found["must_not"] == [{"term": {"title_words": "a"}}]

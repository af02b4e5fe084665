"""Which queries the embedded engine answers exactly, and what it is asked."""

from __future__ import annotations

import pytest

from ingest.errors import QueryError
from processors.query import parse
from search.tantivy_phrases import MAX_PHRASES
from search.tantivy_queries import TantivyQueries
from search.translate import check_words, translate


@pytest.mark.parametrize(
    "text",
    [
        *("truce", "truc*", "*uce", "t?uce", "=US", "title:truce", "lead:=US", "body:tru*"),
        *('"arms transfers"', '"arms trans*"', "a AND b", "a OR b", "NOT a", "a -b", "-a -b"),
        *("ATLEAST/2(a b c)", "a NEAR/5 b", "a ONEAR/50 b", "a NEAR/50 b", "tr* NEAR/5 arm*"),
        *("(a OR b) NEAR/5 (c OR d)", '"a b" NEAR/2 "c d"', "a NEAR/3 a", "source:bbc.co.uk"),
        *("topic:arms@review", "published:2026-11-01", "seen:>2026-11-01", "停火", "停*"),
    ],
)
def test_the_engine_answers_exactly(text: str) -> None:
    assert translate(parse(text, where="search").root, TantivyQueries()).exact


@pytest.mark.parametrize(
    "text",
    [
        *("a SAMESENT b", "a NOT WITHIN b", "=US NEAR/5 arms", '"=US arms"', '"=US =UK"'),
        *("(a OR b OR c) NEAR/50 (d OR e)", "tr* NEAR/50 arm*", "NOT (a SAMESENT b)"),
        *("c OR (a SAMESENT b)", "c -(a SAMESENT b)", "ATLEAST/1(a (b SAMESENT c))"),
        *("*a?????", '"*a????? b"', f"a{'?' * 200}*", f'"b a{"*b?" * 120}"'),
    ],
)
def test_the_engine_gives_candidates(text: str) -> None:
    assert not translate(parse(text, where="search").root, TantivyQueries()).exact


@pytest.mark.parametrize("text", ['"arms trans*"', "tr* NEAR/5 arms"])
def test_phrases_of_patterns_become_candidates_where_the_engine_refused_them(text: str) -> None:
    queries = TantivyQueries(patterns_in_phrases=False)
    assert not translate(parse(text).root, queries).exact
    assert translate(parse("trans* arms").root, queries).exact


def test_the_limit_of_phrases_allows_the_widest_distance_of_two_pairs_of_words() -> None:
    assert translate(parse("(a OR b) NEAR/50 (c OR d)").root, TantivyQueries()).exact
    assert MAX_PHRASES >= 4 * 51 * 2
    assert not translate(parse("(a OR b) NEAR/50 (c OR d OR e)").root, TantivyQueries()).exact


def test_a_few_wide_wildcards_are_allowed_and_many_are_not() -> None:
    check_words(parse("*a b* c*"))
    with pytest.raises(QueryError) as caught:
        check_words(parse(" OR ".join(f"{letter}*" for letter in "abcdefghijklmnop")))
    assert caught.value.hint
    with pytest.raises(QueryError):
        check_words(parse('"' + " ".join(f"*{letter}" for letter in "abcdefghijklmnop") + '"'))

"""The query language: what is understood, what is refused, and how it is said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import QueryError
from ingest.identity import feed_id
from processors.query import cost_class, explain, parse, warnings
from processors.query_lexer import FIELDS
from processors.query_tree import (
    And,
    AtLeast,
    Cased,
    Field,
    Near,
    Not,
    NotWithin,
    Or,
    Phrase,
    SameSentence,
    TimeRange,
    Wildcard,
    Word,
    walk,
)
from tests.processors.query_strategies import queries

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def refused(text: str, **options: object) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text, **options)  # type: ignore[arg-type]  # options of one test or another
    return caught.value


A, B, C, D = (Word(value=letter) for letter in "abcd")


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("A", A),
        ("a b", And(of=(A, B))),
        ("a AND b c", And(of=(A, B, C))),
        ("a OR b c OR d", Or(of=(A, And(of=(B, C)), D))),
        ("a -b", And(of=(A, Not(of=B)))),
        ("a NOT b OR c", Or(of=(And(of=(A, Not(of=B))), C))),
        ("NOT NOT a", A),
        ("NOT a b", And(of=(Not(of=A), B))),
        ("NOT (a b)", Not(of=And(of=(A, B)))),
        ("((a))(b)", And(of=(A, B))),
        ('"a b"', Phrase(parts=(A, B))),
        ("“a b”", Phrase(parts=(A, B))),
        ("„a b“ «c»", And(of=(Phrase(parts=(A, B)), C))),
        ("a.b", Phrase(parts=(A, B))),
        ("and or not near", And(of=tuple(Word(value=w) for w in ("and", "or", "not", "near")))),
        ("a NEAR/5 b", Near(left=(A,), right=(B,), distance=5)),
        ("a ONEAR/0 b", Near(left=(A,), right=(B,), distance=0, ordered=True)),
        ("(a OR b) NEAR/50 c", Near(left=(A, B), right=(C,), distance=50)),
        ("NOT a NEAR/1 b", Not(of=Near(left=(A,), right=(B,), distance=1))),
        ("a SAMESENT b c", And(of=(SameSentence(left=(A,), right=(B,)), C))),
        ('a NOT WITHIN "a b"', NotWithin(inner=(A,), outer=(Phrase(parts=(A, B)),))),
        ("ATLEAST/2(a b c a)", AtLeast(count=2, of=(A, B, C))),
        ("ATLEAST/1(a A)", A),
        ("ATLEAST/2(a (b OR c) -d)", AtLeast(count=2, of=(A, Or(of=(B, C)), Not(of=D)))),
        ("don't", Word(value="dont")),
        ("l’accord", Phrase(parts=(Word(value="l"), Word(value="accord")))),
        ("停战", Phrase(parts=(Word(value="停"), Word(value="战")))),
        ("停*", Word(value="停")),
        ("停?", Phrase(parts=(Word(value="停"), Wildcard(pattern="?")))),
        ("停？", Word(value="停")),
        ("アップ*", Wildcard(pattern="アップ*")),
        ("truce*", Wildcard(pattern="truce*")),
        ("organi?ation", Wildcard(pattern="organi?ation")),
        ('"a* **b"', Phrase(parts=(Wildcard(pattern="a*"), Wildcard(pattern="*b")))),
        ("=US", Cased(value="US", folded="us")),
        ('"=US a"', Phrase(parts=(Cased(value="US", folded="us"), A))),
        ('ארה"ב', Word(value="ארהב")),
        ("title:a", Word(value="a", zone="title")),
        ("TITLE:a", Word(value="a", zone="title")),
        ("lead:(a OR b)", Or(of=(Word(value="a", zone="lead"), Word(value="b", zone="lead")))),
        ("source:https://www.BBC.co.uk/news", Field(name="source", value="bbc.co.uk")),
        ("group:“World  News”", Field(name="group", value="world news")),
        ('author:"Jane DOË"', Field(name="author", value="jane doe")),
        ("lang:AR-eg", Field(name="lang", value="ar")),
        ("topic:ceasefire-talks@review", Field(name="topic", value="ceasefire-talks@review")),
        ("feed:AbC_1-x", Field(name="feed", value="AbC_1-x")),
        ("feed:https://a.example/rss?x=1", Field(name="feed", value=feed_id("https://a.example/rss?x=1"))),
        ("tag:(a OR b)", Or(of=(Field(name="tag", value="a"), Field(name="tag", value="b")))),
        ("-source:x.org", Not(of=Field(name="source", value="x.org"))),
    ],
)  # fmt: skip
def test_forms_are_understood(text: str, root: object) -> None:
    assert parse(text).root == root


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # year, month, day, …


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("published:>2026-11-01", at(2026, 11, 2), None),
        ("published:>=2026-11-01", at(2026, 11, 1), None),
        ("published:<2026-11-01", None, at(2026, 11, 1)),
        ("published:<=2026-11-01", None, at(2026, 11, 2)),
        ("published:2026-11-01", at(2026, 11, 1), at(2026, 11, 2)),
        ("published:2026-11-01..2026-11-03", at(2026, 11, 1), at(2026, 11, 4)),
        ("published:>=2026-11-01T10:00+02:00", at(2026, 11, 1, 8), None),
        ("published:<2026-11-01T10:00:00Z", None, at(2026, 11, 1, 10)),
        ("published:24h", at(2026, 11, 21, 12), None),
        ("published:2w", at(2026, 11, 8, 12), None),
    ],
)
def test_times_are_ranges_in_utc(text: str, start: datetime | None, end: datetime | None) -> None:
    assert parse(text, now=NOW).root == TimeRange(name="published", start=start, end=end)
    name = text.replace("published", "seen")
    assert parse(name, now=NOW).root == TimeRange(name="seen", start=start, end=end)


@pytest.mark.parametrize(
    ("text", "caret", "says"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("a NEAR b", 2, "NEAR needs a number: NEAR/10"),
        ("a NEAR/x b", 2, "NEAR needs a number: NEAR/10"),
        ("a ONEAR/ b", 2, "ONEAR needs a number: ONEAR/10"),
        ("a NEAR/51 b", 2, "limit of 50"),
        ("a NEAR/5 (b c)", 10, "OR of these"),
        ("a NEAR/5 -b", 2, "needs something behind"),
        ("a NEAR/5 source:x.org", 9, "OR of these"),
        ("a NEAR/5 b NEAR/5 c", 11, "cannot be chained"),
        ("(a NEAR/5 b) NEAR/5 c", 1, "OR of these"),
        ("title:a NEAR/5 b", 8, "same field"),
        ("a WITHIN b", 2, "NOT WITHIN"),
        ("a AND", 2, "AND needs something behind"),
        ("OR a", 0, "OR needs something before"),
        ("a NOT", 2, "NOT needs something behind"),
        ("a OR OR b", 2, "OR needs something behind"),
        ("(a", 0, "never closed"),
        ("a (b (c)", 2, "never closed"),
        ("a)", 1, "closes nothing"),
        ("a ()", 2, "nothing in these parentheses"),
        ('a "b', 2, "never closed"),
        ('""', 1, "no letter or digit"),
        ("a & b", 2, "no letter or digit"),
        ("a - b", 2, "no letter or digit"),
        ("*", 0, "lone *"),
        ("a ?", 2, "lone ?"),
        ('"a * b"', 3, "lone *"),
        ("u.*", 2, "lone *"),
        ("=US*", 0, "cannot be combined"),
        ("titel:a", 0, "no field “titel”"),
        ("https://a.example/", 0, "no field “https”"),
        ("title: a", 5, "right after the colon"),
        ("source:", 6, "right after the colon"),
        ("title:(a source:b)", 9, "cannot stand inside title:"),
        ("tag:a*", 4, "whole value"),
        ("tag:…", 4, "no value"),
        ("topic:Ceasefire_talks", 6, "no value"),
        ("seen:yesterday", 5, "not a date"),
        ("seen:2026-13-01", 5, "not a date"),
        ("seen:>", 5, "not a date"),
        ("ATLEAST(a b)", 0, "ATLEAST needs a number"),
        ("ATLEAST/2 a b", 0, "list in parentheses"),
        ("ATLEAST/3(a b a)", 0, "2 different"),
        ("ATLEAST/0(a b)", 0, "no sense"),
        ("ATLEAST/2(a OR b)", 12, "without OR"),
        ("ATLEAST/2(a b", 9, "never closed"),
        ("~negotiate", 0, "not yet"),
        ("a s* NEAR/5 t*", 2, "too many words"),
        ("*s SAMESENT t*", 0, "too many words"),
        (f"a {'(' * 21}b{')' * 21}", 22, "more than 20 deep"),
        (" OR ".join(f"a{number}" for number in range(257)), 1938, "more than 256"),
        ("ab " * 1366, 0, "longer than 4,096 bytes"),
        ("停" * 1366, 0, "longer than 4,096 bytes"),
    ],
)
def test_errors_point_at_the_fault_and_say_what_to_do(text: str, caret: int, says: str) -> None:
    error = refused(text, now=NOW)
    assert says in error.sentence
    assert error.caret == caret
    assert error.hint


def test_limits_allow_what_they_name() -> None:
    parse(f"{'(' * 20}b{')' * 20}")
    parse(" OR ".join(f"a{number}" for number in range(256)))
    parse(f"{'a-' * 2047}a")
    parse("strik* NEAR/50 talk*")


def test_a_near_miss_of_a_field_gets_a_suggestion() -> None:
    assert "Did you mean title:?" in refused("titel:a").hint
    assert all(name in refused("x:a").hint for name in FIELDS)


def test_time_fields_are_refused_in_a_subscription_with_a_sentence() -> None:
    for text in ("seen:24h", "a published:>2026-11-01"):
        error = refused(text, where="subscription", now=NOW)
        assert "searches" in error.sentence
        assert "wirewatch search" in error.hint


def test_a_span_of_time_needs_a_now() -> None:
    assert "no now" in refused("seen:24h").sentence


def test_every_leaf_remembers_where_it_was_typed() -> None:
    text = 'title:"a b" OR (c* NEAR/3 =D) -source:x.org'
    query = parse(text)
    clauses = {query.clause(node) for node in walk(query.root)}
    assert {'title:"a b"', "c*", "=D", "c* NEAR/3 =D", "source:x.org"} <= clauses


def test_equal_queries_typed_differently_are_equal() -> None:
    assert parse("Truce  AND (talks)").root == parse("truce talks").root
    assert hash(parse("Truce  AND (talks)").root) == hash(parse("truce talks").root)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("NOT a", "matches nearly every article"),
        ("a OR NOT b", "matches nearly every article"),
        ("a or b", "the operator is OR"),
        ("*strike", "begins with a wildcard"),
        ('"the *strike"', "begins with a wildcard"),
        ("title:zzz", "No article so far has the word “zzz”"),
        ('"known zzz"', "No article so far has the word “zzz”"),
    ],
)
def test_warnings_say_what_was_perhaps_not_meant(text: str, says: str) -> None:
    found = warnings(parse(text), is_known=lambda word: word != "zzz")
    assert any(says in sentence for sentence in found)


def test_an_ordinary_query_has_no_warnings() -> None:
    assert warnings(parse('(truce OR ceasefire*) NEAR/10 talks -"price war"')) == []


def test_cost_classes_rise_with_what_has_to_be_read() -> None:
    assert cost_class(parse("truce ceasefire*")) == "cheap"
    assert cost_class(parse("truce *strike")) == "moderate"
    assert cost_class(parse("t*")) == "expensive"


def test_the_explanation_shows_the_tree() -> None:
    text = '(a OR title:"b =C c*x") NOT source:x.org a NEAR/5 (c OR d) ATLEAST/2(a b c)'
    assert explain(parse(text)) == [
        "all of",
        "  one of",
        "    word a",
        "    phrase “b =C c*x” in the title",
        "  not",
        "    source is x.org",
        "  word a and (word c or word d), at most 5 words between, in any order",
        "  at least 2 of",
        "    word a",
        "    word b",
        "    word c",
    ]


def test_every_form_can_be_explained() -> None:
    text = "a SAMESENT =B c ONEAR/2 d (a NOT WITHIN “a b”) seen:>2026-11-01 published:<2026-11-02"
    found = "\n".join(explain(parse(text)))
    for says in ("in one sentence", "with this case", "in this order", "outside of", "seen from"):
        assert says in found


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(), queries(), st.text(alphabet='()"-*?=:~/ NOTANDEROatleast5¶停ا')))
def test_any_text_is_understood_or_refused_with_a_caret(text: str) -> None:
    error: QueryError | None = None
    try:
        query = parse(text, now=NOW)
        assert explain(query)
        warnings(query)
        cost_class(query)
    except QueryError as refusal:
        error = refusal
    if error is not None:
        assert error.caret is not None
        assert 0 <= error.caret <= len(text)
        assert error.sentence

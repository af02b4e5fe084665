"""The definition of matching: examples, and the positional forms against the plainest code."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, reject, settings

from ingest.article import Article
from ingest.errors import QueryError
from processors.analysis import PARAGRAPH, Analysed, analyse
from processors.document import Document, Metadata, document
from processors.occurrences import Place, places_in, places_of
from processors.query import parse
from processors.query_tree import Near, NotWithin, Positional, SameSentence, Term
from processors.records import TopicTag
from processors.reference import grounds, matches, spans
from processors.wildcards import wildcard
from tests.processors.query_strategies import documents, positionals, queries, terms, texts


def read(body: str, title: str = "") -> Document:
    return Document(analyse(title), analyse(body), Metadata())


@pytest.mark.parametrize(
    ("query", "yes", "no"),
    [
        ("truce", "A Truce!", "truces"),
        ("don't", "DONT", "do not"),
        ("españa", "ESPANA", "espanol"),
        ("accord", "l’accord", "accords"),
        ("russia", "Russia's army", "russian"),
        ("truce*", "truces truce", "atruce"),
        ("*strike", "airstrike", "strikes"),
        ("organi?ation", "organisation", "organiation"),
        ('"arms transfers"', "arms, transfers", "arms and transfers"),
        ('"arms trans*"', "arms transit", "arms a transit"),
        ('"arms transfers"', "the arms-transfers", "arms\ntransfers"),
        ('"u.s. package"', "U.S. package", "us package"),
        ("a NEAR/2 b", "b one two a", "b one two three a"),
        ("a NEAR/1 b", "a\nb", "a\nand b"),
        ("a ONEAR/2 b", "a one two b", "b one a"),
        ("a NEAR/5 a", "a one a", "a one"),
        ('"a b" NEAR/5 "b c"', "a b and b c", "a b c"),
        ("(x OR y) NEAR/0 (z OR w)", "w y", "x a z"),
        ("a SAMESENT b", "A or b. C", "A here. B there"),
        ("a SAMESENT a", "a and a", "A dog. A cat"),
        ("ATLEAST/2(a b c)", "c a", "a a"),
        ('"family" NOT WITHIN "nuclear family"', "nuclear family, family", "a nuclear family"),
        ("=US", "the US says", "help us"),
        ('"=US army"', "a US army", "us army"),
        ("lead:a", "One. Two a. Three", "One. Two. Three a"),
        ("停战", "宣布停战了", "停 了 战"),
        ("停?", "停了", "停"),
        ("محمد", "مُحَمَّد", "احمد"),
        ("アップル", "アップルTV", "アップルズ"),
        ("a -b", "a", "a b"),
    ],
)
def test_forms_match_what_the_language_says(query: str, yes: str, no: str) -> None:
    assert matches(parse(query), read(yes))
    assert not matches(parse(query), read(no))


def test_title_and_body_are_texts_of_their_own() -> None:
    both = read("b", title="a")
    assert matches(parse("a b"), both)
    for query in ('"a b"', "a NEAR/50 b", "a SAMESENT b", "body:a", "title:b", "lead:a"):
        assert not matches(parse(query), both)


def test_the_body_includes_the_lead() -> None:
    assert matches(parse("body:a lead:a"), read("A one. Two. Three."))


def test_metadata_and_times_are_compared() -> None:
    article = Article(
        id="x",
        feed_id="feed-one",
        source="www.bbc.co.uk",
        title="Title",
        text="Text",
        authors=("Jane Doë",),
        tags=("World News",),
        groups=("Press/Europe",),
        language="ar",
        published=datetime(2026, 11, 2, tzinfo=UTC),
        seen=datetime(2026, 11, 3, tzinfo=UTC),
    )
    tags = [
        TopicTag(topic="truce", version=1, score=0.9, band="tag"),
        TopicTag(topic="arms", version=1, score=0.3, band="review"),
    ]
    read_article = document(article, tags)
    for query in (
        "source:bbc.co.uk", "source:co.uk", "feed:feed-one", 'author:"jane doe"', "lang:ar",
        'tag:"world news"', 'group:"press europe"', "topic:truce", "topic:truce@review",
        "topic:arms@review", "published:2026-11-02", "seen:>2026-11-02", "title:title body:text",
    ):  # fmt: skip
        assert matches(parse(query), read_article), query
    for query in (
        "source:c.co.uk",
        "tag:world",
        "author:jane",
        "topic:arms",
        "published:>2026-11-02",
    ):
        assert not matches(parse(query), read_article), query


def test_spans_name_the_clause_the_zone_and_the_place_in_the_original() -> None:
    title, body = "L’Élan reste", "Une trêve. Rien. L’ÉLAN, e\u0301lan ici."
    found = spans(parse("élan OR (trêve NEAR/5 rien) OR absent"), read(body, title))
    texts_ = [((title if one.zone == "title" else body)[one.start : one.end]) for one in found]
    assert texts_ == ["Élan", "trêve", "Rien", "ÉLAN", "e\u0301lan"]
    assert [one.zone for one in found] == ["title", "lead", "lead", "body", "body"]
    assert {one.clause for one in found} == {"élan", "trêve NEAR/5 rien"}


def test_spans_leave_out_what_took_no_part() -> None:
    assert spans(parse("a b"), read("a")) == ()
    query = parse("(a b) OR c NOT d")
    assert [one.clause for one in spans(query, read("a c"))] == ["c"]
    near = spans(parse("a NEAR/0 b"), read("a x x a b x x b"))
    assert [(one.start, one.end) for one in near] == [(6, 7), (8, 9)]


@settings(max_examples=300, deadline=None)
@given(documents(), terms())
def test_spans_are_there_exactly_where_a_text_matches(found: Document, text: str) -> None:
    try:
        query = parse(text)
    except QueryError:
        reject()
    assert bool(spans(query, found)) == matches(query, found)


@settings(max_examples=300, deadline=None)
@given(documents(), queries())
def test_grounds_are_given_exactly_where_a_query_matches(found: Document, text: str) -> None:
    try:
        query = parse(text)
    except QueryError:
        reject()
    assert (grounds(query.root, found) is not None) == matches(query, found)


def test_grounds_are_the_leaves_that_hold_metadata_too_and_none_under_not() -> None:
    found = Document(analyse("a"), analyse("b"), Metadata(language="en", source="x.org"))
    query = parse("ATLEAST/2(a b zz) (lang:en OR lang:fr) NOT (zz OR source:y.org)")
    known = grounds(query.root, found)
    assert known is not None
    assert [query.clause(one.leaf) for one in known] == ["a", "b", "lang:en"]
    assert grounds(parse("ATLEAST/2(a zz yy)").root, found) is None
    assert grounds(parse("a NOT lang:en").root, found) is None


@pytest.mark.parametrize("filler", [10, 10_000])
def test_words_are_found_in_short_and_in_long_texts(filler: int) -> None:
    found = read(f"The truce {'word ' * filler}holds, the truce")
    assert len(spans(parse("truce"), found)) == 2
    assert len(spans(parse('"the truce" OR =The OR "word holds"'), found)) == 4
    assert not matches(parse('"truce holds" OR truces OR =THE OR "the truce word holds"'), found)


def plainly(node: Positional, text: Analysed) -> list[Place]:
    """The same as ``places_in``, by comparing everything with everything."""
    if isinstance(node, NotWithin):
        outer = [place for term in node.outer for place in places_of(term, text)]
        inner = {place for term in node.inner for place in places_of(term, text)}
        inside = {i for i in inner for o in outer if o[0] <= i[0] and i[1] <= o[1]}
        return sorted(inner - inside)
    first = [place for term in node.left for place in places_of(term, text)]
    second = [place for term in node.right for place in places_of(term, text)]
    pairs = [pair for pair in product(first, second) if suits(*pair, node, text)]
    return sorted({place for pair in pairs for place in pair})


def suits(a: Place, b: Place, node: Near | SameSentence, text: Analysed) -> bool:
    if max(a[0], b[0]) < min(a[1], b[1]):
        return False
    if isinstance(node, SameSentence):
        return len({text.sentences[place] for one in (a, b) for place in range(*one)}) == 1
    if node.ordered and b < a:
        return False
    between = max(a[0], b[0]) - min(a[1], b[1])
    return between <= node.distance


@settings(max_examples=1000, deadline=None)
@given(positionals(), texts())
def test_positions_are_what_the_plainest_code_finds(query: str, text: str) -> None:
    try:
        node = parse(query).root
    except QueryError:
        reject()
    assert isinstance(node, Near | SameSentence | NotWithin)
    assert places_in(node, analyse(text)) == plainly(node, analyse(text))


@settings(max_examples=500, deadline=None)
@given(terms(), texts())
def test_terms_never_reach_across_a_paragraph_end(query: str, text: str) -> None:
    try:
        node = parse(query).root
    except QueryError:
        reject()
    found = analyse(text)
    assert isinstance(node, Term)
    for start, end in places_of(node, found):
        assert PARAGRAPH not in found.words[start:end]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a*", "a ab", "ba"),
        ("*a", "a ba", "ab"),
        ("*a*", "a bab", "b"),
        ("a?c", "abc", "ac abbc"),
        ("a*c*e", "ace abcde acce", "aec"),
        ("*aab*", "aaab", "aba"),
        ("a*?b", "acb accb", "ab"),
        ("?", "a", f"ab {PARAGRAPH}"),
    ],
)
def test_wildcards_match_one_word_from_end_to_end(pattern: str, yes: str, no: str) -> None:
    assert all(wildcard(pattern).fullmatch(word) for word in yes.split())
    assert not any(wildcard(pattern).fullmatch(word) for word in no.split())

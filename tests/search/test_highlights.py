"""The pieces of a text that show where a query was found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.analysis import analyse
from processors.document import Document
from processors.query import parse
from processors.reference import Span, spans
from search.highlights import FRAGMENT_CHARACTERS, MAX_FRAGMENTS, highlighted, merged
from search.index import Fragment, Highlights


def found(query: str, *, title: str = "", text: str = "") -> Highlights:
    document = Document(analyse(title), analyse(text))
    return highlighted(document, spans(parse(query), document))


def marked(fragment: Fragment) -> list[str]:
    return [fragment.text[start:end] for start, end in fragment.spans]


def test_the_title_is_shown_whole_where_something_is_in_it() -> None:
    shown = found("gaza OR truce", title="A truce in Gaza", text="Nothing.")
    assert shown.title == (Fragment(text="A truce in Gaza", spans=((2, 7), (11, 15))),)
    assert found("nothing", title="A truce", text="Nothing.").title == ()


def test_a_text_without_a_span_shows_its_beginning() -> None:
    shown = found("truce", title="truce", text="word " * 100)
    assert shown.text == (Fragment(text=("word " * 40).rstrip()),)
    assert found("truce", title="truce").text == ()


def test_fragments_begin_and_end_between_words() -> None:
    text = f"{'before ' * 50}truce {'behind ' * 50}"
    fragment = found("truce", text=text).text[0]
    assert marked(fragment) == ["truce"]
    assert fragment.text.startswith("before ")
    assert fragment.text.endswith("behind")
    assert len(fragment.text) <= FRAGMENT_CHARACTERS


def test_scripts_without_blanks_are_cut_anywhere() -> None:
    fragment = found("停火", text="战" * 500 + "停火" + "战" * 500).text[0]
    assert marked(fragment) == ["停火"]
    assert len(fragment.text) == FRAGMENT_CHARACTERS


def test_at_most_three_fragments_are_shown_and_none_overlaps() -> None:
    text = " ".join(["truce", *["filler"] * 60] * 6)
    fragments = found("truce", text=text).text
    assert len(fragments) == MAX_FRAGMENTS
    assert all("truce" in marked(one) for one in fragments)


def test_spans_of_several_clauses_are_joined() -> None:
    assert merged([(5, 9), (0, 3), (2, 6), (20, 22)]) == [(0, 9), (20, 22)]
    fragment = found('"arms transfers" OR transfers', text="The arms transfers.").text[0]
    assert marked(fragment) == ["arms transfers"]


def test_a_span_longer_than_a_fragment_is_cut_with_it() -> None:
    fragment = found(f'"{" ".join("a" * 60)}"', text="a. " * 200).text[0]
    start, end = fragment.spans[0]
    assert (start, end) == (0, len(fragment.text))


@settings(max_examples=200, deadline=None)
@given(
    st.text("ab \n¶停", max_size=600),
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 80)), max_size=30),
)
def test_spans_lie_in_their_fragments(text: str, ranges: list[tuple[int, int]]) -> None:
    given_spans = [
        Span(clause="x", zone="body", start=start, end=min(start + length, len(text)))
        for start, length in ranges
        if start < len(text)
    ]
    shown = highlighted(Document(analyse(""), analyse(text)), given_spans)
    assert len(shown.text) <= MAX_FRAGMENTS
    for fragment in shown.text:
        assert fragment.text in text
        assert all(0 <= start < end <= len(fragment.text) for start, end in fragment.spans)

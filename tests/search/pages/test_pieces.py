"""Texts of feeds become pieces of text, never anything else."""

from __future__ import annotations

import pytest

from search.pages.pieces import MOST_MARKS, language_of, link_of, pieces, pointed


def shown(text: str, *spans: tuple[int, int], most: int = 0) -> list[tuple[str, bool]]:
    return [(one.text, one.hit) for one in pieces(text, spans, most=most)]


def test_what_is_in_a_span_is_a_hit() -> None:
    assert shown("a truce now", (2, 7)) == [("a ", False), ("truce", True), (" now", False)]


def test_spans_that_touch_are_one_and_those_behind_the_end_none() -> None:
    assert shown("abcdef", (0, 2), (2, 4), (9, 12)) == [("abcd", True), ("ef", False)]


def test_a_span_is_cut_with_its_text() -> None:
    found = shown("abcdefghij", (4, 10), most=6)
    assert found[0] == ("abcd", False)
    assert len("".join(text for text, _ in found)) <= 6
    assert all(hit for _, hit in found[1:])


def test_there_is_a_limit_to_marks() -> None:
    spans = [(place, place + 1) for place in range(0, 400, 2)]
    assert sum(hit for _, hit in shown("x" * 400, *spans)) == MOST_MARKS


def test_no_text_is_no_piece() -> None:
    assert pieces("") == ()


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hans-CN"])
def test_a_language_is_one(tag: str) -> None:
    assert language_of(tag) == tag


@pytest.mark.parametrize("tag", ["", 'en" onclick="x', "english language", "e", "en-"])
def test_what_is_no_language_is_none(tag: str) -> None:
    assert language_of(tag) == ""


def test_only_web_addresses_are_links() -> None:
    assert link_of("https://example.org/a") == "https://example.org/a"
    assert link_of("http://example.org/a") == "http://example.org/a"
    assert link_of("javascript:alert(1)") == ""
    assert link_of("data:text/html,x") == ""


def test_the_caret_stands_below_the_fault() -> None:
    line, caret = pointed("truce NEAR talks", 6)
    assert line[caret.index("^")] == "N"


def test_of_a_long_query_the_part_around_the_caret_is_shown() -> None:
    query = "word " * 40 + "( x" + " word" * 40
    line, caret = pointed(query, query.index("("))
    assert line[caret.index("^")] == "("
    assert line.startswith("…")
    assert line.endswith("…")
    assert len(line) < 80


def test_wide_and_combining_characters_move_the_caret() -> None:
    _, caret = pointed("停戦 (", 3)
    assert caret.index("^") == 5
    _, caret = pointed("e\u0301 (", 3)
    assert caret.index("^") == 2


def test_what_would_break_the_line_is_a_blank() -> None:
    line, _ = pointed("a\nb\x1b[31m (", 4)
    assert "\n" not in line
    assert "\x1b" not in line

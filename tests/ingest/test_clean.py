from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clean import clean, cut, cut_at_word, cut_bytes, is_hostile, one_line, printable

ANY_TEXT = st.text(st.characters(categories=None), max_size=80)  # lone surrogates included


def test_control_characters_overrides_and_byte_order_marks_go() -> None:
    assert clean("\ufeffa\0b\x1b[31mc\u202ed\u2066e\x7ff\ud800g") == "ab[31mcdefg"


def test_line_ends_tabs_and_marks_of_right_to_left_scripts_stay() -> None:
    text = "one\n\ttwo \u200fשלום\u200e \u061c"
    assert clean(text) == text


def test_c1_characters_are_read_as_windows_1252() -> None:
    assert clean("it\x92s 5 \x80 \x96 \x81") == "it’s 5 € – "


def test_two_halves_of_a_surrogate_pair_become_their_character() -> None:
    assert clean("\ud83d\ude00 \ude00") == "😀 "


def test_letters_are_not_recomposed() -> None:
    text = unicodedata.normalize("NFD", "é ü ガ")
    assert clean(text) == text


@given(ANY_TEXT)
def test_cleaned_text_can_be_stored_and_is_clean(text: str) -> None:
    found = clean(text)
    found.encode()
    assert "\0" not in found
    assert clean(found) == found
    assert not is_hostile(found)


def test_only_what_no_honest_feed_holds_is_hostile() -> None:
    assert is_hostile("a\0b")
    assert is_hostile("a\u202eb")
    assert not is_hostile("\ufeffa\u200fb\x92s")


def test_one_line_has_single_spaces() -> None:
    assert one_line(" a\u00a0 \n b\u2028c\0 ") == "a b c"


def test_a_cut_text_ends_in_an_ellipsis_within_the_limit() -> None:
    assert cut("four", 4) == "four"
    assert cut("fiver", 4) == "fiv…"
    assert cut("ab cdef", 4) == "ab…"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("a truce", 7, "a truce"),
        ("a truce holds", 10, "a truce…"),
        ("a truce holds", 8, "a truce…"),
        ("a truce  holds", 9, "a truce…"),
        ("停火" * 50, 10, "停火停火停火停火停…"),
        ("x" * 200, 100, "x" * 99 + "…"),
        ("a " + "x" * 200, 100, "a " + "x" * 97 + "…"),
    ],
)
def test_an_excerpt_is_cut_behind_a_word_within_the_limit(
    text: str, limit: int, shown: str
) -> None:
    assert cut_at_word(text, limit) == shown
    assert len(shown) <= limit


def test_a_text_is_cut_at_whole_characters_within_its_bytes() -> None:
    assert cut_bytes("ééé", 6) == "ééé"
    assert cut_bytes("éééé", 7) == "éé…"
    assert cut_bytes("😀😀", 7) == "😀…"


@given(st.text(max_size=50), st.integers(min_value=4, max_value=60))
def test_a_cut_text_never_exceeds_its_bytes(text: str, limit: int) -> None:
    assert len(cut_bytes(text, limit).encode()) <= limit


def test_what_could_act_on_a_terminal_is_shown() -> None:
    hostile = "a\x1b]0;x\x07\nb\r\t\x9b\u202e\ud800"
    assert printable(hostile) == r"a\x1b]0;x\x07\nb\r\t\x9b\u202e\ud800"


def test_lines_stay_lines_where_they_are_wanted() -> None:
    assert printable("a\n\tb\r\x1b", multiline=True) == "a\n\tb\\r\\x1b"


@given(ANY_TEXT)
def test_printable_text_holds_nothing_that_acts(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert all(unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"} for char in shown)

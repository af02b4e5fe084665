"""Words, offsets and sentences of texts in many scripts."""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.analysis import PARAGRAPH, analyse, fold, pattern_words
from processors.sentences import MAX_SENTENCE_WORDS, sentence_ends
from tests.processors.query_strategies import texts

ODD = st.sampled_from(
    (
        *("\ud800", "😀", "👩‍👩‍👧", "\u0301", "\u200d", "\0", "\x01", "\x02", "ｶﾞ", "กำ", "Ǆ", "ŉ"),
        *("ΐ", "ß", "İ", "ǰ", "№", "㍿", "ﷺ", "½", "\u1100\u1161\u11a8", "e\u0301\u0327"),
        *("'", "’", "¶", "\n"),
    )
)
ANYTHING = st.one_of(st.text(), texts(), st.lists(st.one_of(ODD, st.text(max_size=3))).map("".join))


def words(text: str) -> str:
    return analyse(text).joined


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Truce TALKS", "truce talks"),
        ("España, Café, Ångström, Łódź, Tromsø, Œuvre", "espana cafe angstrom lodz tromso oeuvre"),
        ("Straße STRASSE", "strasse strasse"),
        ("don't dont don’t DON‘T donʼt", "dont dont dont dont dont"),
        ("Russia's and Russia’s", "russia s and russia s"),
        ("the workers' rights", "the workers rights"),
        ("l'accord L’Aquila d'État qu'il dell'Unità", "l accord l aquila d etat qu il dell unita"),
        ("O'Neill rock'n'roll п'ять", "oneill rocknroll пять"),
        ("U.S. package, 3.5% on AT&T_x", "u s package 3 5 on at t x"),
        ("Ёлка ЙОД иод", "елка йод иод"),
        ("и\u0306од е\u0308лка За\u0301мок", "йод елка замок"),
        ("Iğdır İstanbul ISPARTA", "igdir istanbul isparta"),
        ("Μάϊος ΆΓΙΟΣ", "μαιοσ αγιοσ"),
        ("مُحَمَّد العـــربية", "محمد العربيه"),
        ("أحمد إحمد آحمد ٱحمد", "احمد احمد احمد احمد"),
        ("علي على علی", "علي علي علي"),
        ('שָׁלוֹם צה״ל ארה"ב ג׳ורג׳', "שלום צהל ארהב גורג"),
        ("停战协定", "停 战 协 定"),
        ("アップルのTV ｱｯﾌﾟﾙTV", "アップル の tv アップル tv"),
        ("กาแฟ ລາວ ខ្មែរ ဗမာ", "ก า แ ฟ ລ າ ວ ខ ្ ម ែ រ ဗ မ ာ"),
        ("한국어 뉴스", "한국어 뉴스"),
        ("हिन्दी में", "हिन्दी में"),
        ("ＡＢＣ ﬁne ½ ²", "abc fine 1 2 2"),
        ("soft\u00adhyphen zero\u200bwidth joi\u200dner", "softhyphen zero width joiner"),
        ("one\n\n two\n", "one ¶ two"),
        ("\n\n", ""),
        ("¶ 😀 … —", ""),
    ],
)
def test_words_are_folded_and_split_as_the_language_says(text: str, expected: str) -> None:
    assert words(text) == expected


@settings(max_examples=1000, deadline=None)
@given(ANYTHING)
def test_both_passes_over_a_text_give_the_same_words(text: str) -> None:
    found = analyse(text)
    assert len(found.cased) == len(found.offsets) == len(found.sentences) == len(found.words)
    for word, cased in zip(found.words, found.cased, strict=True):
        assert cased == PARAGRAPH if word == PARAGRAPH else words(cased) == word


@settings(max_examples=1000, deadline=None)
@given(ANYTHING)
def test_one_word_looked_for_alone_stands_where_all_of_them_say(text: str) -> None:
    found, alone = analyse(text), analyse(text)
    assert [alone.edges(place) for place in range(len(alone.words))] == [*found.offsets]
    assert [alone.sentence(place) for place in range(len(alone.words))] == [*found.sentences]


@pytest.mark.parametrize("text", ["The café in l'Aquila, don't", "Как дела — rock'n'roll, don't"])
def test_a_plain_text_is_not_traced_for_one_word(text: str) -> None:
    found = analyse(text)
    start, end = found.edges(len(found.words) - 1)
    assert text[start:end] == "don't"
    assert "offsets" not in vars(found)


@settings(max_examples=1000, deadline=None)
@given(ANYTHING)
def test_every_word_comes_from_where_its_offsets_say(text: str) -> None:
    found = analyse(text)
    last = 0
    for word, (start, end) in zip(found.words, found.offsets, strict=True):
        assert last <= end
        assert 0 <= start < end <= len(text)
        if word == PARAGRAPH:
            assert text[start] == "\n"  # a mark may follow
        else:
            assert word in words(text[start:end]).split()
        last = end


@settings(max_examples=500, deadline=None)
@given(ANYTHING)
def test_folded_words_are_folded_already(text: str) -> None:
    joined = words(text).replace(f" {PARAGRAPH} ", " ")
    assert words(joined) == joined


@settings(max_examples=500, deadline=None)
@given(ANYTHING)
def test_joined_words_survive_whitespace_analysis_and_utf_8(text: str) -> None:
    found = analyse(text)
    assert found.joined.encode().decode().split() == list(found.words)
    assert all(len(word.encode("utf-16-le")) <= 255 * 2 for word in found.words)


@given(ANYTHING)
def test_places_are_positions(text: str) -> None:
    found = analyse(text)
    for word in (*found.words, "nowhere"):
        assert list(found.places(word)) == list(found.positions.get(word, ()))


def test_places_of_many_words_are_positions_too() -> None:
    found = analyse(" ".join(f"word{number % 30}" for number in range(90)))
    for number in range(30):
        assert list(found.places(f"word{number}")) == [number, number + 30, number + 60]


def test_offsets_point_into_the_original_of_composed_and_compatibility_text() -> None:
    text = "Cafe\u0301 ﬁne ½ 停战 ｶﾞｽ L’Élan"
    found = analyse(text)
    pieces = [text[start:end] for start, end in found.offsets]
    assert pieces == ["Cafe\u0301", "ﬁne", "½", "½", "停", "战", "ｶﾞｽ", "L", "Élan"]
    assert found.cased == ("Cafe", "fine", "1", "2", "停", "战", "ガス", "L", "Elan")


def test_an_overlong_word_is_cut_at_255_utf_16_units_without_half_a_character() -> None:
    assert analyse("a" * 300).words == ("a" * 255,)
    assert analyse("𝒂𐐨" * 150).words == (("a𐐨" * 85),)
    assert analyse("𐐨" * 150).words == ("𐐨" * 127,)


def test_case_is_kept_beside_the_folded_words() -> None:
    assert analyse("The US told us: Straße").cased == ("The", "US", "told", "us", "Straße")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two. Three four", "0 0 1 1"),
        ("The U.S. Senate met. Then", "0 0 0 0 0 1"),
        ("Mr. Smith and J. Doe met. Then", "0 0 0 0 0 0 1"),
        ("It cost 3.5 percent. So", "0 0 0 0 0 1"),
        ("He left... and came! “Why?” she", "0 0 0 0 1 1"),
        ("He said “No.” Then", "0 0 0 1"),
        ("One\ntwo", "0 0 1"),
        ("停战。谈判", "0 0 1 1"),
        ("محادثات؟ هدنة", "0 1"),
        ("पहला। दूसरा", "0 1"),
        ("", ""),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: str) -> None:
    assert " ".join(map(str, analyse(text).sentences)) == expected


def test_a_sentence_without_end_is_cut() -> None:
    numbers = analyse("word " * (MAX_SENTENCE_WORDS + 1)).sentences
    assert numbers[-2:] == (0, 1)


@settings(max_examples=500, deadline=None)
@given(ANYTHING)
def test_every_word_is_in_the_sentence_where_it_starts(text: str) -> None:
    found = analyse(text)
    assert sum(found.sentence_lengths) == len(found.words)
    assert 0 not in found.sentence_lengths
    ends = sentence_ends(text)
    begun = [bisect_right(ends, start) for start, _ in found.offsets]
    assert [number for number, _ in groupby(found.sentences)] == list(range(len(set(begun))))
    assert len({*zip(begun, found.sentences, strict=True)}) == len(set(begun))


def test_the_beginning_of_a_text_keeps_offsets_and_sentences() -> None:
    found = analyse("One two. Three Four.").beginning(3)
    assert found.words == ("one", "two", "three")
    assert found.cased == ("One", "two", "Three")
    assert found.sentence_lengths == (2, 1)
    assert found.span(2, 3) == (9, 14)
    assert found.sentences == (0, 0, 1)


def test_metadata_values_are_folded_like_words() -> None:
    assert fold(" Jane  DOË\n(news) ") == "jane doe news"


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        ("organi?ation", ["organi?ation"]),
        ("アップ*", ["アップ*"]),
        ("*プル", ["*プル"]),
        ("停*", ["停", "*"]),
        ("don't*", ["dont*"]),
        ("l'acc*", ["l", "acc*"]),
    ],
)
def test_wildcards_stay_in_the_words_of_a_pattern(chunk: str, expected: list[str]) -> None:
    assert pattern_words(chunk) == expected

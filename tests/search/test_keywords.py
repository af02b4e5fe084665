"""The telling words of an article."""

from __future__ import annotations

from search.keywords import MOST, keywords

BODY = (
    "The envoy said on Tuesday that the two sides would meet again. The envoy and the "
    "mediators from three countries hope for a truce of 40 days, the first since 2019."
)


def test_words_that_are_rare_elsewhere_come_first_and_common_ones_not_at_all() -> None:
    found = keywords("Envoy hopes for a truce", BODY)

    assert found[:2] == ("envoy", "truce") or found[:2] == ("truce", "envoy")
    assert not {"the", "of", "and", "said"} & set(found)


def test_numbers_and_single_letters_are_left_out() -> None:
    assert not any(len(word) < 2 or word.isdigit() for word in keywords("F-16 x 2019", BODY))


def test_there_are_ten_at_most_each_once() -> None:
    found = keywords("", " ".join(f"unheard{letter}" for letter in "abcdefghijklmnop"))

    assert len(found) == len(set(found)) == MOST


def test_a_text_without_words_has_none() -> None:
    assert keywords("", "… — !") == ()

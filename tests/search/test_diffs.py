"""What changed between two revisions, by words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search.diffs import MOST_WORDS, Change, changes


def shown(before: str, after: str) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in changes(before, after)]


def test_a_changed_word_is_one_gone_and_one_new() -> None:
    assert shown("The truce holds today", "The truce breaks today") == [
        ("same", "The truce"),
        ("gone", " holds"),
        ("new", " breaks"),
        ("same", " today"),
    ]


def test_what_only_came_or_only_went_is_just_that() -> None:
    assert shown("a b", "a b c") == [("same", "a b"), ("new", " c")]
    assert shown("a b c", "a c") == [("same", "a"), ("gone", " b"), ("same", " c")]


def test_texts_that_say_the_same_leave_all_out() -> None:
    text = " ".join(f"w{number}" for number in range(40))
    assert shown(text, text) == [("left-out", "40 words unchanged")]
    assert shown("", "") == []


def test_the_middle_between_two_changes_is_left_out() -> None:
    middle = " ".join(f"w{number}" for number in range(100))
    found = shown(f"old {middle} end", f"new {middle} finish")
    kinds = [kind for kind, _ in found]
    assert kinds == ["gone", "new", "same", "left-out", "same", "gone", "new"]
    assert found[3] == ("left-out", "76 words unchanged")


def test_before_the_first_and_behind_the_last_change_only_the_near_side_is_shown() -> None:
    many = " ".join(f"w{number}" for number in range(50))
    found = shown(f"{many} a {many}", f"{many} b {many}")
    assert [kind for kind, _ in found] == ["left-out", "same", "gone", "new", "same", "left-out"]


def test_long_texts_are_compared_by_paragraphs() -> None:
    long = "\n".join("word " * 100 for _ in range(MOST_WORDS // 50))
    found = changes(f"{long}\nThe end.", f"{long}\nThe finish.")
    assert found[-2:] == [
        Change(kind="gone", text="\nThe end."),
        Change(kind="new", text="\nThe finish."),
    ]


words = st.lists(st.sampled_from(["a", "b", "c", "d\n", "e"]), max_size=20).map(" ".join)


@given(words, words)
def test_nothing_of_the_new_text_is_lost(before: str, after: str) -> None:
    found = changes(before, after)
    left_out = sum(int(one.text.split()[0]) for one in found if one.kind == "left-out")
    told = [word for one in found if one.kind in ("same", "new") for word in one.text.split()]
    assert len(told) + left_out == len(after.split())
    assert not left_out or before != after or before.split() == after.split()

"""Sketches as whole numbers, and the copies that they tell."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.copies import copied, read_hashes, similarity
from processors.members import Member, Story
from processors.records import Signature
from tests.made_up_news import START

sketches = st.lists(
    st.one_of(st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFF]), st.integers(0, 0xFFFF)),
    min_size=128,
    max_size=128,
)


def read(hashes: list[int]) -> int:
    packed = b"".join(one.to_bytes(2, "little") for one in hashes)
    return read_hashes(Signature(shingles=base64.b64encode(packed).decode()))


def article(name: str, hashes: list[int], *, size: int = 100, order: int = 0) -> Member:
    return Member(
        article_id=name,
        root=name,
        order=order,
        seen=START,
        published=START,
        language="en",
        heaviest="",
        hashes=read(hashes),
        size=size,
        story=Story(name, order),
    )


@given(sketches, sketches, st.integers(0, 128))
def test_the_similarity_of_sketches_is_the_share_of_equal_hashes(
    one: list[int], other: list[int], shared: int
) -> None:
    other = one[:shared] + other[shared:]
    equal = sum(a == b for a, b in zip(one, other, strict=True))
    assert similarity(read(one), read(other)) == equal / 128


@pytest.mark.parametrize("shingles", ["", "AAAA", base64.b64encode(b"x" * 254).decode()])
def test_a_sketch_of_another_length_is_no_sketch(shingles: str) -> None:
    assert read_hashes(Signature(shingles=shingles)) == 0


def test_the_copied_article_is_the_most_similar_and_of_equals_the_first() -> None:
    hashes = list(range(128))
    nearly = [*hashes[:120], *range(500, 508)]
    members = [
        article("near", nearly, order=1),
        article("later", hashes, order=3),
        article("first", hashes, order=2),
        article("other", list(range(1000, 1128)), order=0),
    ]
    original, contained = copied(article("new", hashes, order=9), members)
    assert (original, contained) == (members[2], 1.0)
    original, contained = copied(article("new", hashes, order=9), members[:1])
    assert original is members[0]
    assert contained == pytest.approx(0.968)


def test_a_text_without_shingles_copies_nothing() -> None:
    empty = article("empty", [0] * 128, size=0)
    assert copied(empty, [article("zeros", [0] * 128)]) == (None, 0.0)


def test_a_short_text_within_a_long_one_is_its_copy_as_far_as_the_sketch_can_tell() -> None:
    hashes = list(range(128))
    fifth, tenth = [*hashes[:26], *range(500, 602)], [*hashes[:13], *range(500, 615)]
    whole = article("whole", hashes, size=500)
    assert copied(replace(article("a", fifth), size=100), [whole])[0] is whole
    assert copied(replace(article("b", tenth), size=50), [whole])[0] is None

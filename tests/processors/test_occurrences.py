"""Where terms stand in a text."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.analysis import PARAGRAPH, analyse
from processors.occurrences import places_of
from processors.query_tree import Wildcard

LETTERS = st.text("abé", min_size=1, max_size=5)
PATTERNS = st.lists(st.sampled_from(("*", "?", "a", "b", "ab", "aba", "abab")), min_size=1).map(
    "".join
)
TEXTS = st.lists(st.one_of(LETTERS, st.just("\n")), max_size=12).map(" ".join)


@settings(max_examples=500, deadline=None)
@given(TEXTS, PATTERNS)
def test_a_pattern_stands_at_every_word_that_it_fits(text: str, pattern: str) -> None:
    found = analyse(text)
    fitting = [
        place
        for place, word in enumerate(found.words)
        if word != PARAGRAPH and fnmatchcase(word, pattern)
    ]
    term = Wildcard(pattern=pattern, span=(0, len(pattern)))
    assert [start for start, _ in places_of(term, found)] == fitting

"""What grouping needs of a text, without the text: shingle sketch and heaviest terms.

The sketch is a MinHash (Broder 1997) over word 3-shingles, 128 permutations of which the low
16 bits are kept (Li and König 2010: b-bit MinHash), so a Jaccard similarity is estimated within
about ±.04 from 256 bytes.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from processors.analysis import PARAGRAPH, Analysed, analyse
from processors.records import Signature

Sketch = npt.NDArray[np.uint16]

PERMUTATIONS = 128
TERMS = 32
"""24 lose two points of B-cubed F on the labelled stories, 48 win nothing."""

NUMBER_WEIGHT = 3
"""A shingle with a digit counts thrice: reports from one template differ in their numbers only."""

TITLE_WEIGHT = 2
"""A shingle of the title counts twice: short texts may be boilerplate below differing titles."""

_UNKNOWN_IDF = 8.5
_NUMBER_IDF = 5.0
_COMMON_OFFSET = 1.0
"""Subtracted from every idf, so that words in more than a third of all texts weigh nothing."""

_BLOCK = 512
"""Shingles hashed at a time: half a megabyte of scratch, whatever the length of the text."""

_SCALE = 100
"""Two decimals: more would make the record longer and no grouping better."""

_MASK = 0xFFFF

_IDEOGRAPHS = "\u2e80"
"""The first of them; the scripts of words with several letters come before it (save Hangul)."""


def signature(title: str | Analysed, body: str | Analysed) -> Signature:
    """The signature of a text; the same for the same words on every machine. O(words)."""
    head, rest = _words(title), _words(body)
    hashes = _shingle_hashes(head, rest)
    return Signature(
        shingles=base64.b64encode(_sketch(hashes).astype("<u2").tobytes()).decode(),
        terms=_heaviest(head, rest),
        length=len(head) + len(rest),
        size=len(hashes),
    )


def heaviest_terms(title: str | Analysed, body: str | Analysed) -> list[tuple[str, int]]:
    """The terms that say most about a text, the heaviest first, as its signature has them."""
    return read_terms(_heaviest(_words(title), _words(body)))


def read_terms(heaviest: str) -> list[tuple[str, int]]:
    """What ``Signature.terms`` says: terms with their weights in hundredths."""
    parts = heaviest.split(" ")
    return [
        (term, int(weight))
        for term, weight in zip(parts[::2], parts[1::2], strict=False)
        if weight.isdecimal() and int(weight)
    ]


def _words(text: str | Analysed) -> list[str]:
    analysed = analyse(text) if isinstance(text, str) else text
    return [word for word in analysed.words if word != PARAGRAPH]


def _shingle_hashes(head: Sequence[str], rest: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Distinct 64-bit hashes of the 3-shingles, heavier ones several times under other hashes."""
    words = [*head, *rest]
    if not words:
        return np.zeros(0, dtype=np.uint64)
    words.extend([""] * max(0, 3 - len(words)))
    hashes = np.fromiter(map(zlib.crc32, map(str.encode, words)), np.uint64, len(words))
    numbers = np.fromiter(map(_has_digit, words), np.bool_, len(words))
    shingles = _mix(_mix(_mix(hashes[:-2]) + hashes[1:-1]) + hashes[2:])
    weights = np.where(numbers[:-2] | numbers[1:-1] | numbers[2:], NUMBER_WEIGHT, 1)
    weights[: len(head)] = np.maximum(weights[: len(head)], TITLE_WEIGHT)
    copies = [
        shingles[weights > extra] + np.uint64(extra)
        for extra in range(max(NUMBER_WEIGHT, TITLE_WEIGHT))
    ]
    return np.unique(_mix(np.concatenate(copies)))


def _has_digit(word: str) -> bool:
    return not word.isalpha() and any(map(str.isdigit, word))


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64: every input bit changes every output bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@cache
def _multipliers() -> npt.NDArray[np.uint64]:
    seeds = np.arange(1, PERMUTATIONS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return _mix(seeds) | np.uint64(1)


def _sketch(hashes: npt.NDArray[np.uint64]) -> Sketch:
    if not len(hashes):
        return np.zeros(0, dtype=np.uint16)
    lowest = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(hashes), _BLOCK):
        block = hashes[start : start + _BLOCK, None] * _multipliers()
        lowest = np.minimum(lowest, block.min(axis=0))
    return (lowest >> np.uint64(32) & np.uint64(_MASK)).astype(np.uint16)


def _heaviest(head: Sequence[str], rest: Sequence[str]) -> str:
    counts = Counter([*_terms(head), *_terms(rest)])
    weights = [-(1 + math.log(count)) * idf(term) for term, count in counts.items()]
    # Numbers sort quicker than pairs, and most terms are not among the heaviest.
    lightest = max(sorted(weights)[:TERMS], default=0.0)
    pairs = zip(weights, counts, strict=True)
    ranked = sorted([pair for pair in pairs if pair[0] <= lightest])
    kept = [(-weight, term) for weight, term in ranked[:TERMS] if weight < 0]
    norm = math.hypot(*(weight for weight, _ in kept))
    scaled = ((term, round(weight / norm * _SCALE)) for weight, term in kept)
    return " ".join(f"{term} {weight}" for term, weight in scaled if weight)


def _terms(words: Sequence[str]) -> Iterable[str]:
    """``words`` cut to 40 characters; one-character ideographs in pairs, as they carry a word."""
    if max(words, default="") < _IDEOGRAPHS:
        return [word[:40] for word in words]
    return _paired(words)


def _paired(words: Sequence[str]) -> Iterator[str]:
    previous = ""
    for word in words:
        single = len(word) == 1 and word >= _IDEOGRAPHS
        if single and previous:
            yield previous + word
        elif not single:
            yield word[:40]
        previous = word if single else ""


def idf(term: str) -> float:
    """How much ``term`` says: 0 for the commonest words, 8.5 for one the background lacks."""
    known = _background().get(term)
    if known is not None:
        return known
    if _has_digit(term):
        return 0.0 if term.isdigit() else _NUMBER_IDF
    return _UNKNOWN_IDF


@cache
def _background() -> dict[str, float]:
    """Words with their idf; a line of the file holds half-octaves of rarity, then its words."""
    found: dict[str, float] = {}
    text = resources.files("processors").joinpath("background.txt").read_text("utf-8")
    for line in text.splitlines():
        level, *words = line.split(" ")
        idf_of_level = max(0.0, float(level) * math.log(2) / 2 - _COMMON_OFFSET)
        found.update(dict.fromkeys(words, idf_of_level))
    return found

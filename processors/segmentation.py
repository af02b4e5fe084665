# ruff: noqa: RUF001 - quotation marks and dashes as they are printed
"""From a text to folded words: normal form, apostrophes, runs, paragraphs, the cut."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from processors.folding import END, START

PARAGRAPH = "¶"
"""The token at a paragraph end: phrases do not cross it, NEAR counts it as a word."""

MAX_TOKEN_UNITS = 255
"""UTF-16 units at which a token is cut: Elasticsearch's whitespace tokenizer splits there."""

GONE = "\0"
"""Stands for a removed character until offsets are read; no input keeps it."""

GERSHAYIM = re.compile('["”״](?<=[א-ת].)(?=[א-ת])')
"""A mark of abbreviation inside a Hebrew word, in the shapes that keyboards give it."""

_BREAKS = frozenset(" \n")
_VOWELS = frozenset("aeiouyh")
_ELIDED = re.compile(
    r"(?:^|[ \n])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|presqu"
    r"|gl|un|dell|all|dall|nell|sull|coll|quell|quest|bell|sant|tutt|anch|dov|com)$"
)
_LONGEST_ELIDED = 8  # with the blank before it, and one more
_TYPOGRAPHY = (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("–", "-"), ("—", "-"), ("…", "."))


def normalised(text: str) -> str:
    """``text`` in NFKC; plain typography is made ASCII first, which is quicker and folds alike."""
    text = plain(text)
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def plain(text: str) -> str:
    """``text`` of the same length with typography made ASCII."""
    if text.isascii():
        return text
    text = GERSHAYIM.sub("\u200d", text)
    for old, new in _TYPOGRAPHY:
        text = text.replace(old, new)
    return text


def joints_of(folded: str) -> list[str]:
    """What takes the place of each apostrophe in ``folded``: nothing, or a blank."""
    if "'" not in folded:
        return []
    parts = folded.replace(START, " ").replace(END, " ").split("'")
    return [_joint(left, right) for left, right in pairwise(parts)]


def _joint(left: str, right: str) -> str:
    first = right[:1]
    if not left or not first or left[-1] in _BREAKS or first in _BREAKS:
        return " "
    if first == "s" and (len(right) == 1 or right[1] in _BREAKS):  # russia's: russia, s
        return " "
    if first in _VOWELS and _ELIDED.search(left[-_LONGEST_ELIDED:]):  # l'accord: l, accord
        return " "
    return GONE


def segmented_by(folded: str, joints: Sequence[str]) -> str:
    """``folded`` with the marks of the table resolved, character for character."""
    if joints:
        first, *others = folded.split("'")
        folded = first + "".join(joint + part for joint, part in zip(joints, others, strict=True))
    if START in folded:
        folded = folded.replace(END + START, GONE + GONE)
        folded = folded.replace(START, " ").replace(END, " ")
    return folded


def words_of(segmented: str) -> list[str]:
    """The words; ``¶`` between paragraphs that have words."""
    found: list[str] = []
    for line in segmented.replace(GONE, "").split("\n"):
        words = line.split()
        if not words:
            continue
        if max(map(len, words)) * 2 > MAX_TOKEN_UNITS:
            words = [cut(word) for word in words]
        if found:
            found.append(PARAGRAPH)
        found += words
    return found


def cut(word: str) -> str:
    """``word`` cut at the longest length that both indexes keep whole."""
    if len(word) * 2 <= MAX_TOKEN_UNITS:
        return word
    return word.encode("utf-16-le")[: MAX_TOKEN_UNITS * 2].decode("utf-16-le", "ignore")

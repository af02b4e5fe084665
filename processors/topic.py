"""A topic: named word lists and the rules over them that earn points, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["sentence", "paragraph", "text"]

NAME = "@name"
"""The term that stands for any proper name: a capitalised word inside a cased text."""

WORDS = "words"
"""The rule id under which the fitted single words of ``weights`` appear in evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Points for hits of one list, or of several lists near each other.

    Attributes:
        lists: One name for ``any``; two or three for ``near``, the rarest first.
        within: ``near`` only: at most this many words between the first hit and each other one.
        unit: ``near`` only: what the hits must share.
        repeat: How many further hits add half the points each.
        distinct: Repeats count only where the matched words differ.
        zone_boost: Whether hits in title and lead count more.
    """

    id: str
    points: float
    lists: tuple[str, ...]
    within: int = 0
    unit: Unit = "sentence"
    repeat: int = 0
    distinct: bool = False
    zone_boost: bool = True

    @property
    def most(self) -> float:
        """The points of this rule with every repeat, before zones."""
        return self.points * (1 + self.repeat / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """What a hit in each zone is worth; the lead is the first two sentences of the text."""

    title: float = 1.0
    lead: float = 1.0
    body: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How points become a probability, and how many more a longer text needs.

    A text of ``words`` words scores 0.5 at ``points`` points; each doubling of its length asks
    for ``doubling`` more, because a long text meets every rule more often by chance.

    Attributes:
        slope: Log-odds per point.
        words: The length up to which ``points`` suffice, in words.
    """

    points: float = 8.0
    slope: float = 0.5
    words: int = 60
    doubling: float = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text of the topic's own tests, whether it must be tagged, and where it stands."""

    text: str
    expected: bool
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic file, validated.

    Attributes:
        lists: Every word list by name; the inline list of a rule is called ``<rule>/any``.
        weights: Fitted points of single words near the evidence; may be empty.
        require: Rules without which there is no tag.
        place: The file it came from.
    """

    id: str
    label: str
    version: int
    lang: str = "en"
    description: str = ""
    see: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    threshold: float = 0.5
    review: float = 0.2
    zones: Zones = Zones()
    calibration: Calibration = Calibration()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mask: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    penalties: tuple[Rule, ...] = ()
    require: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    place: str = ""

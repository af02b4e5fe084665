"""From the places where a topic's words stand to points, a probability and evidence."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from processors.records import Zone
from processors.topic import WORDS, Calibration, Rule, Topic

Span = tuple[int, int]
"""First token and the one after the last."""

LEAD_SENTENCES = 2
"""The lead of a news text: its first two sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Title and text as one run of tokens, with what rules ask of a place.

    Attributes:
        words: Folded tokens; ``¶`` ends title and paragraphs.
        sentences, paragraphs: Number of each token's sentence and paragraph.
        body: The first token of the text.
        lead_end: The first token after the lead.
        length: Words, without paragraph ends.
    """

    words: Sequence[str]
    sentences: Sequence[int]
    paragraphs: Sequence[int]
    body: int
    lead_end: int
    length: int

    def zone(self, token: int) -> Zone:
        """Where ``token`` stands."""
        if token < self.body:
            return "title"
        return "lead" if token < self.lead_end else "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHit:
    """What one rule earned in one zone, and by which tokens."""

    rule: str
    points: float
    zone: Zone
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A topic's verdict on one text.

    Attributes:
        gated: A required rule did not fire, so the score is 0.
        masked: Spans that were hidden from every rule.
    """

    points: float
    score: float
    hits: tuple[RuleHit, ...] = ()
    gated: bool = False
    masked: tuple[Span, ...] = ()


@dataclass(slots=True)
class Found:
    """Spans by list name, with the fitted words and masks apart."""

    lists: dict[str, list[Span]] = field(default_factory=dict)
    words: dict[str, list[Span]] = field(default_factory=dict)
    mask: list[Span] = field(default_factory=list)


def probability(points: float, length: int, calibration: Calibration) -> float:
    """The score 0..1 of ``points`` in a text of ``length`` words."""
    need = calibration.points
    if length > calibration.words:
        need += calibration.doubling * math.log2(length / calibration.words)
    # Beyond 60 the exponential says nothing more, and far beyond it overflows.
    odds = max(-60.0, min(60.0, calibration.slope * (points - need)))
    return 1 / (1 + math.exp(-odds))


def ceiling(topic: Topic, found: Found, *, named: Collection[str]) -> float:
    """The most points that ``found`` could earn, from the places alone.

    As if everything stood in the best zone and in one sentence, nothing were masked and no penalty
    fired; ``named`` are the lists that proper names, not looked for yet, count for too. 0 where a
    required rule cannot fire.
    """
    zones = topic.zones
    boost = max(zones.title, zones.lead, zones.body)
    points = math.fsum(max(0.0, topic.weights[word]) for word in found.words)
    for rule in topic.rules:
        is_open = any(name in named for name in rule.lists)
        count = rule.repeat + 1 if is_open else _most_hits(rule, found.lists)
        if count:
            whole = rule.points * (1 + min(rule.repeat, count - 1) / 2)
            points += max(0.0, whole * boost if rule.zone_boost else whole)
        elif rule.id in topic.require:
            return 0.0
    return points


def _most_hits(rule: Rule, lists: Mapping[str, list[Span]]) -> int:
    """How many hits of the rule's first list have a hit of every other list within reach."""
    first, *others = (lists.get(name, []) for name in rule.lists)
    if not all(others):
        return 0
    return sum(
        all(any(0 <= _gap(anchor, span) <= rule.within for span in side) for side in others)
        for anchor in first
    )


def _gap(anchor: Span, span: Span) -> int:
    """Words between the two; below 0 where they overlap."""
    return span[0] - anchor[1] if span[0] >= anchor[1] else anchor[0] - span[1]


def score(topic: Topic, found: Found, tokens: Tokens) -> Scored:
    """Points, probability and hits of one topic over one text."""
    masked = tuple(_longest(found.mask))
    lists = {name: _visible(spans, masked) for name, spans in found.lists.items()}
    hits: list[RuleHit] = []
    fired: set[str] = set()
    for rule in (*topic.rules, *topic.penalties):
        spans = _rule_spans(rule, lists, tokens)
        if spans:
            fired.add(rule.id)
            hits.extend(_rule_hits(rule, spans, topic, tokens))
    if not fired.issuperset(topic.require):
        return Scored(points=0.0, score=0.0, hits=tuple(hits), gated=True, masked=masked)
    hits.extend(_word_hits(topic, found, hits, tokens))
    points = math.fsum(hit.points for hit in hits)
    chance = probability(points, tokens.length, topic.calibration)
    return Scored(points=points, score=chance, hits=tuple(hits), masked=masked)


def _longest(spans: Sequence[Span]) -> list[Span]:
    """Spans without those that overlap an earlier or a longer one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _visible(spans: Sequence[Span], masked: Sequence[Span]) -> list[Span]:
    """The longest spans that touch no masked one."""
    free = [s for s in spans if not any(s[0] < m[1] and m[0] < s[1] for m in masked)]
    return _longest(free)


def _rule_spans(rule: Rule, lists: Mapping[str, list[Span]], tokens: Tokens) -> list[Span]:
    """Where ``rule`` fires: hits of its list, or whole stretches that hold its lists."""
    sides = [lists.get(name, []) for name in rule.lists]
    if not all(sides):
        return []
    if len(sides) == 1:
        return sides[0]
    return _longest(list(_near(rule, sides, tokens)))


def _near(rule: Rule, sides: Sequence[list[Span]], tokens: Tokens) -> Iterator[Span]:
    """For each hit of the first list, the stretch to the nearest hit of every other."""
    for anchor in sides[0]:
        low, high = anchor
        for side in sides[1:]:
            partner = _nearest(anchor, side, rule, tokens)
            if partner is None:
                break
            low, high = min(low, partner[0]), max(high, partner[1])
        else:
            yield low, high


def _nearest(anchor: Span, side: Sequence[Span], rule: Rule, tokens: Tokens) -> Span | None:
    """The nearest span of ``side`` that shares the anchor's unit and does not overlap it."""
    best: Span | None = None
    best_gap = rule.within + 1
    for span in side:
        gap = _gap(anchor, span)
        if 0 <= gap < best_gap and _together(anchor[0], span[0], rule, tokens):
            best, best_gap = span, gap
    return best


def _together(one: int, other: int, rule: Rule, tokens: Tokens) -> bool:
    """Whether two tokens share the rule's unit; title and text never share one."""
    if rule.unit == "sentence":
        return tokens.sentences[one] == tokens.sentences[other]
    if rule.unit == "paragraph":
        return tokens.paragraphs[one] == tokens.paragraphs[other]
    return (one < tokens.body) == (other < tokens.body)


def _rule_hits(
    rule: Rule, spans: Sequence[Span], topic: Topic, tokens: Tokens
) -> Iterator[RuleHit]:
    """The rule's points, whole for its best hit, half for each further one, by zone."""
    ranked = sorted(spans, key=lambda span: -_worth(rule, span, topic, tokens))
    seen: set[str] = set()
    by_zone: dict[Zone, tuple[float, list[Span]]] = {}
    counted = 0
    for span in ranked:
        zone = tokens.zone(span[0])
        points, kept = by_zone.setdefault(zone, (0.0, []))
        words = " ".join(tokens.words[span[0] : span[1]])
        if counted <= rule.repeat and not (rule.distinct and words in seen):
            points += _worth(rule, span, topic, tokens) / (2 if counted else 1)
            counted += 1
            seen.add(words)
        kept.append(span)
        by_zone[zone] = points, kept
    for zone, (points, kept) in by_zone.items():
        yield RuleHit(rule=rule.id, points=points, zone=zone, spans=tuple(sorted(kept)))


def _worth(rule: Rule, span: Span, topic: Topic, tokens: Tokens) -> float:
    """Points of one hit in its zone; a penalty weighs the same everywhere."""
    if not rule.zone_boost or rule.points < 0:
        return rule.points
    zones = topic.zones
    factor = {"title": zones.title, "lead": zones.lead, "body": zones.body}
    return rule.points * factor[tokens.zone(span[0])]


def _word_hits(
    topic: Topic, found: Found, hits: Sequence[RuleHit], tokens: Tokens
) -> Iterator[RuleHit]:
    """Fitted words, each once, in the sentences around the evidence."""
    if not found.words:
        return
    around = {
        tokens.sentences[span[0]] + step
        for hit in hits
        for span in hit.spans
        for step in (-1, 0, 1)
    }
    by_zone: dict[Zone, tuple[float, list[Span]]] = {}
    for word, spans in found.words.items():
        place = next((s for s in sorted(spans) if tokens.sentences[s[0]] in around), None)
        if place is not None:
            zone = tokens.zone(place[0])
            points, kept = by_zone.setdefault(zone, (0.0, []))
            kept.append(place)
            by_zone[zone] = points + topic.weights[word], kept
    for zone, (points, kept) in by_zone.items():
        yield RuleHit(rule=WORDS, points=points, zone=zone, spans=tuple(sorted(kept)))

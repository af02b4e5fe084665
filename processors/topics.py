"""All topics against one article: one scan for every term, then only the topics it touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

from ingest.errors import FileError
from processors.analysis import Analysed, analyse
from processors.evidence import Joined
from processors.records import Band, Evidence, TopicTag
from processors.scoring import Found, Scored, Span, score
from processors.topic import NAME, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What one topic made of one article, tagged or not: the answer of ``topics explain``."""

    topic: Topic
    scored: Scored
    band: Band | None
    evidence: tuple[Evidence, ...]
    masked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Use:
    """One term in one list of one topic; ``cased`` where letters must match as written."""

    topic: int
    list: str
    cased: str


_MASK, _WEIGHT = "/mask", "/weight:"
"""Pseudo-lists; names of lists hold no slash."""


class TopicEngine:
    """Tags articles with every topic given. Immutable, so safe to share between threads.

    Attributes:
        versions: (id, version) of each topic, sorted; an id with files in several languages
            once, with the highest version.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self.topics = tuple(topics)
        highest: dict[str, int] = {}
        for topic in topics:
            highest[topic.id] = max(topic.version, highest.get(topic.id, 0))
        self.versions: tuple[tuple[str, int], ...] = tuple(sorted(highest.items()))
        self._named = [_named_lists(topic) for topic in topics]
        self._languages: dict[str, int] = {}
        self._patterns: dict[str, int] = {}
        self._uses: list[list[_Use]] = []
        self._wakes: list[int] = []
        for number, topic in enumerate(topics):
            self._languages[topic.lang] = self._languages.get(topic.lang, 0) | 1 << number
            self._enter_topic(number, topic)
        self._automaton = AhoCorasick(
            list(self._patterns), implementation=Implementation.ContiguousNFA
        )

    def tag(self, title: Analysed, body: Analysed, *, language: str) -> tuple[TopicTag, ...]:
        """The topics of one article in both bands, best first.

        A topic file applies to articles of its language, the English ones also where the
        language is unknown (empty).
        """
        joined = Joined(title, body)
        tags = [
            TopicTag(
                topic=topic.id,
                version=topic.version,
                score=round(scored.score, 4),
                band=band,
                evidence=joined.evidence(scored.hits),
            )
            for topic, scored in self._scored(joined, language)
            if (band := band_of(topic, scored.score)) is not None
        ]
        return tuple(sorted(tags, key=lambda tag: (-tag.score, tag.topic)))

    def explain(
        self, title: Analysed, body: Analysed, *, language: str
    ) -> tuple[Explanation, ...]:
        """Every topic that the article touched, with what it earned and why, best first."""
        joined = Joined(title, body)
        found = [
            Explanation(
                topic=topic,
                scored=scored,
                band=band_of(topic, scored.score),
                evidence=joined.evidence(scored.hits),
                masked=tuple(joined.quotes(scored.masked)),
            )
            for topic, scored in self._scored(joined, language)
        ]
        return tuple(sorted(found, key=lambda each: (-each.scored.score, each.topic.id)))

    def _scored(self, joined: Joined, language: str) -> Iterator[tuple[Topic, Scored]]:
        """Each topic of the article's language that a term woke, with its verdict."""
        hits = self._automaton.find_matches_as_indexes(joined.text, overlapping=True)
        woken = 0
        for pattern, _, _ in hits:
            woken |= self._wakes[pattern]
        woken &= self._languages.get(_primary(language) or "en", 0)
        if not woken:
            return
        found = self._found(hits, woken, joined)
        for number, places in found.items():
            yield self.topics[number], score(self.topics[number], places, joined.tokens)

    def _found(
        self, hits: Sequence[tuple[int, int, int]], woken: int, joined: Joined
    ) -> dict[int, Found]:
        """The spans of every woken topic's terms, by list."""
        found = {number: Found() for number in _bits(woken)}
        for pattern, start, end in hits:
            span = joined.span(start, end)
            for use in self._uses[pattern]:
                if use.topic in found and (not use.cased or joined.is_cased(span, use.cased)):
                    _file(found[use.topic], use.list, span)
        for number, places in found.items():
            for name in self._named[number]:
                places.lists.setdefault(name, []).extend(joined.names())
        return found

    def _enter_topic(self, number: int, topic: Topic) -> None:
        """Enter every term of a topic; the first list of a rule that is no gate wakes it."""
        waking = {rule.lists[0] for rule in topic.rules if rule.id not in topic.require}
        for name, terms in topic.lists.items():
            for term in terms:
                if term != NAME:
                    self._enter(term, _Use(number, name, _cased(term)), wakes=name in waking)
        for term in topic.mask:
            self._enter(term, _Use(number, _MASK, _cased(term)), wakes=False)
        for word in topic.weights:
            self._enter(word, _Use(number, _WEIGHT + word, ""), wakes=False)

    def _enter(self, term: str, use: _Use, *, wakes: bool) -> None:
        pattern = term_pattern(term)
        number = self._patterns.setdefault(pattern, len(self._patterns))
        if number == len(self._uses):
            self._uses.append([])
            self._wakes.append(0)
        self._uses[number].append(use)
        if wakes:
            self._wakes[number] |= 1 << use.topic


def band_of(topic: Topic, score: float) -> Band | None:
    """``tag``, ``review`` or nothing, by the topic's thresholds."""
    if score >= topic.threshold:
        return "tag"
    return "review" if score >= topic.review else None


def merge(shipped: Iterable[Topic], own: Iterable[Topic]) -> tuple[Topic, ...]:
    """The shipped topics with the user's added; same id and language replaces the shipped one.

    Raises:
        FileError: two of the user's (or two shipped) files say the same id and language.
    """
    merged: dict[tuple[str, str], Topic] = {}
    for group in (shipped, own):
        seen: dict[tuple[str, str], Topic] = {}
        for topic in group:
            key = topic.id, topic.lang
            if key in seen:
                raise FileError(
                    f"{topic.place}: topic {topic.id} ({topic.lang}) is also in {seen[key].place}",
                    hint="Remove one of the two files, or give one another id or lang.",
                    place=topic.place,
                )
            seen[key] = topic
        merged.update(seen)
    return tuple(merged[key] for key in sorted(merged))


def term_pattern(term: str) -> str:
    """The automaton's pattern of a term: its folded tokens between spaces.

    A space is left out where a wildcard continues the word, so ``truce*`` costs what ``truce``
    does.
    """
    words = " ".join(analyse(term.strip("=*")).words)
    head = "" if term.startswith("*") else " "
    return f"{head}{words}" if term.endswith("*") else f"{head}{words} "


def _cased(term: str) -> str:
    """The word that must match letter for letter, where the term asks for it."""
    return term[1:] if term.startswith("=") else ""


def _named_lists(topic: Topic) -> tuple[str, ...]:
    """The lists that proper names count for."""
    return tuple(name for name, terms in topic.lists.items() if NAME in terms)


def _file(found: Found, name: str, span: Span) -> None:
    """Put a span where its list belongs."""
    if name == _MASK:
        found.mask.append(span)
    elif name.startswith(_WEIGHT):
        found.words.setdefault(name.removeprefix(_WEIGHT), []).append(span)
    else:
        found.lists.setdefault(name, []).append(span)


def _primary(language: str) -> str:
    """``en`` of ``en-GB``."""
    return language.partition("-")[0].lower()


def _bits(number: int) -> Iterator[int]:
    """The positions of the set bits."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low

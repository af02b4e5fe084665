"""All topics against one article: one scan for every term, then only the topics it woke."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from processors.analysis import Analysed, analyse
from processors.evidence import Joined
from processors.records import Band, Evidence, TopicTag
from processors.scoring import Found, Scored, ceiling, probability, score
from processors.topic import NAME, Topic
from processors.topic_scan import MASK, WEIGHT, Hit, Scan

MAX_HITS = 300
"""Hits of a list that are scored: nearness compares every pair, and a text of 400 kB that repeats
one word must not hold up the others (an article of 900 words has at most about 60)."""

MAX_FAILURE_WORDS = 12
"""How much of a failed example its message quotes: enough to find it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What one topic made of one article, tagged or not: the answer of ``topics explain``.

    Attributes:
        masked: The words that the topic's mask hid.
    """

    topic: str
    version: int
    score: float
    points: float
    band: Band | None
    gated: bool
    evidence: tuple[Evidence, ...]
    masked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How well a topic does on labelled texts, counting tags of ``band`` or better."""

    topic: str
    band: Band
    texts: int
    positives: int
    found: int
    false: int
    precision: float
    recall: float
    f1: float


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
        self._languages = {
            lang: frozenset(n for n, topic in enumerate(topics) if topic.lang == lang)
            for lang in {topic.lang for topic in topics}
        }
        self._named = [_named_lists(topic) for topic in topics]
        self._scan = Scan(topics)

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
            for topic, scored in self.score(joined, language)
            if (band := band_of(topic, scored.score)) is not None
        ]
        return tuple(sorted(tags, key=lambda tag: (-tag.score, tag.topic)))

    def score(
        self, joined: Joined, language: str, *, every: bool = False
    ) -> Iterator[tuple[Topic, Scored]]:
        """Each topic of the article's language that could reach its review band, with the verdict.

        With ``every``, also those that a rule only touched.
        """
        hits = self._scan.hits(joined.text)
        woken = self._scan.woken(hits, length=None if every else joined.length)
        woken &= self._languages.get(language.partition("-")[0].lower() or "en", frozenset())
        if not woken:
            return
        for number, found in self._found(hits, woken, joined).items():
            topic, named = self.topics[number], self._named[number]
            if every or _could_reach(topic, ceiling(topic, found, named=named), joined.length):
                for name in named:
                    found.lists.setdefault(name, []).extend(joined.names[:MAX_HITS])
                yield topic, score(topic, found, joined.tokens)

    def _found(self, hits: Sequence[Hit], woken: set[int], joined: Joined) -> dict[int, Found]:
        """The spans of every woken topic's terms, by list; proper names not yet."""
        found = {number: Found() for number in sorted(woken)}
        for use, start, end in self._scan.places(hits, woken):
            span = joined.span(start, end)
            if not use.cased or joined.is_cased(span, use.cased):
                _file(found[use.topic], use.list, span)
        return found


def explain(
    engine: TopicEngine, title: Analysed, body: Analysed, *, language: str
) -> tuple[Explanation, ...]:
    """Every topic that a rule touched, tagged or not, with what it earned and why, best first."""
    joined = Joined(title, body)
    found = [
        Explanation(
            topic=topic.id,
            version=topic.version,
            score=round(scored.score, 4),
            points=round(scored.points, 2),
            band=band_of(topic, scored.score),
            gated=scored.gated,
            evidence=joined.evidence(scored.hits),
            masked=tuple(joined.quotes(scored.masked)),
        )
        for topic, scored in engine.score(joined, language, every=True)
    ]
    return tuple(sorted(found, key=lambda each: (-each.score, each.topic)))


def band_of(topic: Topic, score: float) -> Band | None:
    """``tag``, ``review`` or nothing, by the topic's thresholds."""
    if score >= topic.threshold:
        return "tag"
    return "review" if score >= topic.review else None


def _could_reach(topic: Topic, most: float, length: int) -> bool:
    """Whether ``most`` points (a little more, for rounding) put a text into the review band."""
    return probability(most + 1e-6, length, topic.calibration) >= topic.review


def run_examples(topic: Topic, engine: TopicEngine) -> tuple[str, ...]:
    """A sentence for each of the topic's own tests that fails; empty where all pass."""
    failures = []
    for example in topic.examples:
        tags = _bands(engine, "", example.text, topic.lang)
        if (tags.get(topic.id) == "tag") is not example.expected:
            words = " ".join(example.text.split()[:MAX_FAILURE_WORDS])
            verdict = "is not tagged" if example.expected else "is tagged"
            failures.append(f"{example.place}: {verdict}: {words} …")
    return tuple(failures)


def evaluate(engine: TopicEngine, items: Iterable[Mapping[str, object]]) -> tuple[Figures, ...]:
    """Precision, recall and F1 of every topic that the labels name, by band.

    An item has ``text`` and ``labels`` (topic ids or labels), perhaps ``title``, ``lang``,
    ``uncertain`` (labels to leave out for this item) and ``ambiguous`` (leave the item out).
    """
    counts: dict[tuple[str, Band], list[int]] = {}
    for item in items:
        if item.get("ambiguous"):
            continue
        tags = _bands(
            engine, str(item.get("title") or ""), str(item["text"]), str(item.get("lang") or "")
        )
        right, unsure = _labels(item, "labels"), _labels(item, "uncertain")
        for topic in {one.id: one for one in engine.topics}.values():
            names = {topic.id, topic.label.lower(), topic.id.replace("-", " ")}
            if names & unsure:
                continue
            _count(counts, topic.id, is_labelled=bool(names & right), band=tags.get(topic.id))
    return tuple(_figures(*key, counts[key]) for key in sorted(counts) if counts[key][1])


def _bands(engine: TopicEngine, title: str, text: str, language: str) -> dict[str, Band]:
    tags = engine.tag(analyse(title), analyse(text), language=language)
    return {tag.topic: tag.band for tag in tags}


def _labels(item: Mapping[str, object], key: str) -> set[str]:
    labels = item.get(key)
    return {str(each).lower() for each in labels} if isinstance(labels, list) else set()


def _count(
    counts: dict[tuple[str, Band], list[int]], topic: str, *, is_labelled: bool, band: Band | None
) -> None:
    """Add one text to [texts, positives, found, false] of both bands."""
    for asked in ("tag", "review"):
        row = counts.setdefault((topic, "tag" if asked == "tag" else "review"), [0, 0, 0, 0])
        tagged = band == "tag" or (asked == "review" and band is not None)
        row[0] += 1
        row[1] += is_labelled
        row[2] += tagged and is_labelled
        row[3] += tagged and not is_labelled


def _figures(topic: str, band: Band, counts: Sequence[int]) -> Figures:
    texts, positives, found, false = counts
    precision = found / (found + false) if found + false else 0.0
    recall = found / positives if positives else 0.0
    both = 2 * found / (positives + found + false) if positives + found + false else 0.0
    return Figures(
        topic=topic,
        band=band,
        texts=texts,
        positives=positives,
        found=found,
        false=false,
        precision=round(precision, 4),
        recall=round(recall, 4),
        f1=round(both, 4),
    )


def _named_lists(topic: Topic) -> tuple[str, ...]:
    """The lists that proper names count for."""
    return tuple(name for name, terms in topic.lists.items() if NAME in terms)


def _file(found: Found, name: str, span: tuple[int, int]) -> None:
    """Put a span where its list belongs."""
    if name == MASK:
        spans = found.mask
    elif name.startswith(WEIGHT):
        spans = found.words.setdefault(name.removeprefix(WEIGHT), [])
    else:
        spans = found.lists.setdefault(name, [])
    if len(spans) < MAX_HITS:
        spans.append(span)

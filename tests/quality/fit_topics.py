"""Fits the points of a topic's rules, and of single words, to labelled texts.

Run from the repository's root, with the evaluation data beside it::

    python -m tests.quality.fit_topics ceasefire-talks [--words]

It prints what three models score on the half of the gold items that they did not see, for five
splits: the rules as written, their points fitted (logistic regression, pulled towards the written
points), and fitted points with single words. Then the proposed points, and with ``--words`` a
``weights:`` block for the topic file. Deterministic; numpy only. Sources of what is fitted: the
gold items, the news events and our own labels of items of ``wce`` (see NOTICE).
"""

from __future__ import annotations

import math
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processors.analysis import analyse
from processors.evidence import Joined
from processors.scoring import Scored
from processors.topic import Topic
from processors.topics import TopicEngine
from tests.quality.scores import SPLITS, Item, compare, half, labelled, own_labels, shipped

RULE_PULL = 2.0
"""How strongly points stay at what a person wrote; 1 to 5 give the same figures."""

WORD_PULL = 10.0
"""How strongly a word's weight stays at 0; below 3 the words learn names of one year's news."""

MIN_TEXTS = 8
"""Texts a word must stand in: rarer ones say nothing that lasts."""

MAX_STEPS = 100
SHOWN_WORDS = 60

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Labelled texts as numbers: rule points per rule, words near the evidence.

    Attributes:
        rules: Each rule's hits in units of its written points, and a column of ones.
        length: The log-odds that the calibration takes from a long text; not fitted.
        words: 1 where the word stands near the evidence.
        reach: False where no rule touched the text, so that no points can tag it.
    """

    truth: NDArray[np.bool_]
    rules: Matrix
    length: Matrix
    words: Matrix
    reach: NDArray[np.bool_]
    names: tuple[str, ...]
    vocabulary: tuple[str, ...]


def read(topic: Topic, items: Sequence[tuple[Item, bool]]) -> Sample:
    """``items`` as numbers."""
    names = tuple(rule.id for rule in (*topic.rules, *topic.penalties))
    written = {rule.id: rule.points for rule in (*topic.rules, *topic.penalties)}
    engine = TopicEngine([topic])
    rules = np.zeros((len(items), len(names) + 1))
    reach = np.zeros(len(items), dtype=bool)
    length = np.zeros(len(items))
    calibration = topic.calibration
    near: list[set[str]] = []
    for number, (item, _) in enumerate(items):
        joined = Joined(analyse(item.get("title") or ""), analyse(item["text"]))
        scored = next((one for _, one in engine.score(joined, "en", every=True)), None)
        near.append(_near(joined, scored) if scored else set())
        rules[number, -1] = 1
        longer = math.log2(max(1.0, joined.length / calibration.words))
        length[number] = -calibration.slope * calibration.doubling * longer
        if scored and not scored.gated:
            reach[number] = True
            for hit in scored.hits:
                if hit.rule in written:
                    rules[number, names.index(hit.rule)] += hit.points / written[hit.rule]
    counts = Counter(word for words in near for word in words)
    own = {term.rstrip("*") for terms in topic.lists.values() for term in terms}
    vocabulary = tuple(
        sorted(word for word, count in counts.items() if count >= MIN_TEXTS and word not in own)
    )
    words = np.array([[word in each for word in vocabulary] for each in near], dtype=float)
    truth = np.array([is_about for _, is_about in items])
    return Sample(truth, rules, length, words, reach, names, vocabulary)


def _near(joined: Joined, scored: Scored) -> set[str]:
    """The words in the sentences around the evidence, as the engine counts fitted words."""
    sentences = joined.tokens.sentences
    around = {
        sentences[span[0]] + step
        for hit in scored.hits
        for span in hit.spans
        for step in (-1, 0, 1)
    }
    return {
        word
        for word, number in zip(joined.tokens.words, sentences, strict=True)
        if number in around and word.isalpha() and len(word) > 2
    }


def fit(
    data: Matrix, truth: NDArray[np.bool_], *, given: Matrix, start: Matrix, pull: Matrix
) -> Matrix:
    """Logistic regression pulled towards ``start``, by Newton's method; ``given`` is added."""
    found = start.copy()
    for _ in range(MAX_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(data @ found + given, -30, 30)))
        slope = data.T @ (chance - truth) + pull * (found - start)
        curve = (data * (chance * (1 - chance))[:, None]).T @ data + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        found -= step
        if float(np.abs(step).max()) < 1e-8:
            break
    return found


@dataclass(frozen=True, slots=True)
class Models:
    """Three sets of log-odds over (rules, one, words): as written, points fitted, with words."""

    written: Matrix
    points: Matrix
    words: Matrix


def models(topic: Topic, sample: Sample, seen: NDArray[np.bool_]) -> Models:
    """What is fitted on the ``seen`` part of ``sample``."""
    slope = topic.calibration.slope
    points = [rule.points for rule in (*topic.rules, *topic.penalties)]
    written = np.array([*points, -topic.calibration.points]) * slope
    use = seen & sample.reach
    pull = np.array([RULE_PULL] * len(points) + [0.01])
    truth, given = sample.truth[use], sample.length[use]
    fitted = fit(sample.rules[use], truth, given=given, start=written, pull=pull)
    blank = np.zeros(len(sample.vocabulary))
    both = np.hstack([sample.rules, sample.words])
    start = np.concatenate([written, blank])
    pull = np.concatenate([pull, np.full(len(blank), WORD_PULL)])
    whole = fit(both[use], truth, given=given, start=start, pull=pull)
    return Models(start, np.concatenate([fitted, blank]), whole)


def cross_validate(topic: Topic, shared: Path) -> dict[str, list[float]]:
    """F1 on the unseen half of the gold items, for each model and split.

    The rules were written by people who had seen the gold items, so only the difference between
    the models is fair; a sample read after the rules were written stands in docs/topics.md.
    """
    gold = labelled(shared / "topics" / "gold.jsonl", topic.id)
    others = training(topic, shared)
    sample = read(topic, [*gold, *others])
    both = np.hstack([sample.rules, sample.words])
    found: dict[str, list[float]] = {"written": [], "points": [], "words": []}
    for number in range(SPLITS):
        is_first = half(number)
        firsts = np.array([is_first(item) for item, _ in gold])
        for held in (firsts, ~firsts):
            unseen = np.concatenate([held, np.zeros(len(others), dtype=bool)])
            fitted = models(topic, sample, ~unseen)
            for name, figures in found.items():
                said = (both @ getattr(fitted, name) + sample.length > 0) & sample.reach
                score = compare(sample.truth[unseen].tolist(), said[unseen].tolist())
                figures.append(score.f1)
    return found


def training(topic: Topic, shared: Path) -> list[tuple[Item, bool]]:
    """Everything labelled but the gold items."""
    events = labelled(shared / "topics" / "gold_events.jsonl", topic.id)
    return [*events, *own_labels(shared, topic.id)]


def propose(topic: Topic, shared: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Points for every rule and weights for the strongest words, from all labelled texts."""
    gold = labelled(shared / "topics" / "gold.jsonl", topic.id)
    sample = read(topic, [*gold, *training(topic, shared)])
    fitted = models(topic, sample, np.ones(len(sample.truth), dtype=bool))
    slope = topic.calibration.slope
    points = dict(zip(sample.names, (fitted.points / slope).tolist(), strict=False))
    start = len(sample.names) + 1
    words = dict(zip(sample.vocabulary, (fitted.words[start:] / slope).tolist(), strict=True))
    strongest = sorted(words, key=lambda word: (-abs(words[word]), word))[:SHOWN_WORDS]
    return points, {word: words[word] for word in sorted(strongest)}


def main(arguments: Sequence[str]) -> None:
    """Print the figures and the proposal for one topic."""
    topic = shipped(arguments[0])
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    for name, figures in cross_validate(topic, shared).items():
        mean, spread = statistics.mean(figures), statistics.pstdev(figures)
        print(f"{topic.id} {name}: F1 {mean:.3f} ± {spread:.3f} on the unseen half")
    points, words = propose(topic, shared)
    for rule in (*topic.rules, *topic.penalties):
        print(f"  {rule.id:20} {rule.points:6.1f} -> {points[rule.id]:6.1f}")
    if "--words" in arguments:
        print("weights:")
        for word, weight in words.items():
            print(f"  {word}: {weight:.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])

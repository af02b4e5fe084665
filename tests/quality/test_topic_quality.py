"""Gate: the shipped topics on labelled texts; fails when a figure falls below its floor."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

import pytest

from processors.topics import TopicEngine, evaluate
from tests.quality.fit_topics import cross_validate
from tests.quality.scores import LABELS, SPLITS, compare, half, labelled, rows, shipped, tagged

GOLD_F1 = {"ceasefire-talks": 0.88, "arms-transfers": 0.84}
EVENTS_F1 = {"ceasefire-talks": 0.95, "arms-transfers": 0.86}
FALSE_A_DAY = 1
REAL_FOUND, REAL_FALSE_PER_1000 = 10, 2.0

topics = pytest.mark.parametrize("topic", sorted(LABELS))


@topics
def test_gold_items_are_tagged_as_their_readers_did(topic: str, shared_data: Path) -> None:
    gold = labelled(shared_data / "topics" / "gold.jsonl", topic)
    said = tagged(topic, [item for item, _ in gold])
    figures = []
    for number in range(SPLITS):
        is_first = half(number)
        for side in (True, False):
            part = [
                (truth, verdict)
                for (item, truth), verdict in zip(gold, said, strict=True)
                if is_first(item) is side
            ]
            figures.append(compare([a for a, _ in part], [b for _, b in part]).f1)
    mean, spread = statistics.mean(figures), statistics.pstdev(figures)
    print(f"{topic} gold: {compare([a for _, a in gold], said)}; {mean:.3f} ± {spread:.3f}")
    assert mean >= GOLD_F1[topic]


@topics
def test_fitted_points_would_change_little(topic: str, shared_data: Path) -> None:
    figures = cross_validate(shipped(topic), shared_data)
    means = {name: statistics.mean(each) for name, each in figures.items()}
    print(f"{topic} unseen half of gold:", {name: round(mean, 3) for name, mean in means.items()})
    assert max(means.values()) - means["written"] <= 0.03


@topics
def test_news_events_are_tagged_as_two_annotators_did(topic: str, shared_data: Path) -> None:
    events = labelled(shared_data / "topics" / "gold_events.jsonl", topic)
    score = compare([truth for _, truth in events], tagged(topic, [item for item, _ in events]))
    print(f"{topic} events: {score}")
    assert score.f1 >= EVENTS_F1[topic]


@topics
def test_a_whole_day_of_news_has_at_most_one_false_tag(topic: str, shared_data: Path) -> None:
    days = labelled(shared_data / "topics" / "gold_days.jsonl", topic)
    said = tagged(topic, [item for item, _ in days])
    false = Counter(
        item["date"]
        for (item, truth), verdict in zip(days, said, strict=True)
        if verdict and not truth
    )
    print(f"{topic} days: false tags {dict(false)}")
    assert max(false.values(), default=0) <= FALSE_A_DAY


def test_entries_of_real_feeds_are_found_and_hardly_any_is_false(shared_data: Path) -> None:
    found = false = 0
    path = shared_data / "topics" / "real_entries.jsonl.gz"
    for topic in LABELS:
        entries = labelled(path, topic)
        truth = [truth for _, truth in entries]
        score = compare(truth, tagged(topic, [item for item, _ in entries]))
        found, false = found + score.found, false + score.false
    per_thousand = 1000 * false / len(rows(path))
    print(f"real entries: {found} found, {per_thousand:.2f} false in 1,000")
    assert found >= REAL_FOUND
    assert per_thousand <= REAL_FALSE_PER_1000


def test_the_figures_of_the_command_are_those_of_the_gate(shared_data: Path) -> None:
    path = shared_data / "topics" / "gold_events.jsonl"
    engine = TopicEngine([shipped(topic) for topic in LABELS])
    by_topic = {each.topic: each for each in evaluate(engine, rows(path)) if each.band == "tag"}
    for topic in LABELS:
        events = labelled(path, topic)
        score = compare([truth for _, truth in events], tagged(topic, [item for item, _ in events]))
        assert by_topic[topic].f1 == pytest.approx(score.f1, abs=1e-4)

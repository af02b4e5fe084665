"""Labelled texts and figures for the topic gate and the fitting script."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from processors.analysis import analyse
from processors.evidence import Joined
from processors.scoring import Scored
from processors.topic import Topic
from processors.topic_file import load_topic
from processors.topics import TopicEngine

LABELS = {"ceasefire-talks": "ceasefire talks", "arms-transfers": "arms transfers"}
"""Topic ids and what the labelled files call them."""

SPLITS = 5
OWN_LABELS = Path(__file__).with_name("topic_labels.json")
"""Our own reading of items of ``wce``: ids with 1 or 0, no texts."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Precision, recall and F1 with the counts they come from."""

    found: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.false)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.found + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.found / max(1, 2 * self.found + self.false + self.missed)

    def __str__(self) -> str:
        return f"F1 {self.f1:.3f} (P {self.precision:.3f} R {self.recall:.3f})"


def rows(path: Path) -> list[Item]:
    """A file of JSON lines, packed or not."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as packed:
            return [json.loads(line) for line in packed]
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def labelled(path: Path, topic: str) -> list[tuple[Item, bool]]:
    """The clear items of a labelled file with whether they are about ``topic``."""
    name = LABELS[topic]
    return [
        (item, name in item["labels"])
        for item in rows(path)
        if not item.get("ambiguous") and name not in item.get("uncertain", [])
    ]


def own_labels(shared: Path, topic: str) -> list[tuple[Item, bool]]:
    """The items of ``wce`` that we read ourselves."""
    labels = json.loads(OWN_LABELS.read_text("utf-8"))[topic]
    return [
        (item, bool(labels[item["id"]]))
        for item in rows(shared / "text" / "wce.jsonl.gz")
        if item["id"] in labels
    ]


@cache
def shipped(topic: str) -> Topic:
    """The English file of a topic that ships."""
    file = files("deploy") / "topics" / f"{topic}.yaml"
    return load_topic(file.read_text("utf-8"), place=file.name)


def verdicts(engine: TopicEngine, topic: str, items: Iterable[Item]) -> list[Scored | None]:
    """What ``engine`` says of each item on one topic; None where no rule touched it."""
    found: list[Scored | None] = []
    for item in items:
        joined = Joined(analyse(item.get("title") or ""), analyse(item["text"]))
        scored = {each.id: score for each, score in engine.score(joined, "en", every=True)}
        found.append(scored.get(topic))
    return found


def compare(truth: Sequence[bool], said: Sequence[bool]) -> Score:
    """Counts of two lists of verdicts."""
    pairs = list(zip(truth, said, strict=True))
    return Score(
        found=sum(a and b for a, b in pairs),
        false=sum(b and not a for a, b in pairs),
        missed=sum(a and not b for a, b in pairs),
    )


def tagged(topic: str, items: Sequence[Item]) -> list[bool]:
    """Whether each item gets the topic in band ``tag``, by the shipped file alone."""
    threshold = shipped(topic).threshold
    found = verdicts(TopicEngine([shipped(topic)]), topic, items)
    return [one is not None and one.score >= threshold for one in found]


def half(number: int) -> Callable[[Item], bool]:
    """A split of items in two by the hash of their id, another for every number."""

    def is_first(item: Item) -> bool:
        digest = hashlib.sha256(f"{number}:{item['id']}".encode()).digest()
        return digest[0] % 2 == 0

    return is_first

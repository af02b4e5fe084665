"""Topic files: YAML that a journalist writes, checked to the last key before it is used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ingest.errors import FileError
from processors.scoring import probability
from processors.topic import NAME, WORDS, Calibration, Example, Rule, Topic, Unit, Zones
from processors.yaml_node import Block, read_block

__all__ = ["Topic", "load_topic", "merge"]

SCHEMA = 1
MAX_BYTES = 1_000_000
"""The shipped files have about 15 kB; a file beyond this was not written by a person."""

TOPIC_KEYS = (
    *("schema", "id", "label", "description", "version", "lang", "see", "threshold", "review"),
    *("zones", "calibration", "terms", "mask", "rules", "require", "penalties", "weights", "tests"),
)
PENALTY_KEYS = ("id", "points", "any", "repeat", "distinct")
RULE_KEYS = (*PENALTY_KEYS, "near", "within", "unit", "zone_boost")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LIST = re.compile(r"[\w-]+")
LANG = re.compile(r"[a-z]{2,3}")
UNITS: dict[str, Unit] = {"sentence": "sentence", "paragraph": "paragraph", "text": "text"}
MAX_REPEAT, MAX_WITHIN = 20, 200
"""Bounds that no topic needs to pass: a rule that fires 20 times has made its case."""


def load_topic(text: str, *, place: str) -> Topic:
    """The topic that ``text`` (YAML) defines; ``place`` names the file in errors.

    Raises:
        FileError: with line and fix, for anything that is not exactly a topic: bad YAML, an
            unknown key, a rule that names no list, a list that nothing uses, a threshold that
            no text can reach.
    """
    if len(text.encode()) > MAX_BYTES:
        raise FileError(
            f"{place}: a topic file may have at most {MAX_BYTES} bytes",
            hint="Split the topic, or shorten its lists and tests.",
            place=place,
        )
    block = read_block(text, place=place)
    block.allow(TOPIC_KEYS)
    if block.integer("schema") != SCHEMA:
        raise block.error("schema", f"schema must be {SCHEMA}", "Write `schema: 1`.")
    lists, rules, penalties = _rules_and_lists(block)
    topic = Topic(
        id=block.matching("id", ID, "lower-case words and hyphens, like ceasefire-talks"),
        label=block.text("label"),
        description=block.text("description", default=""),
        version=block.integer("version", low=1),
        lang=block.matching("lang", LANG, "a language code like en", default="en"),
        see={key: tuple(value) for key, value in block.lists("see").items()},
        threshold=block.number("threshold", default=0.5, low=0.01, high=0.99),
        review=block.number("review", default=0.2, low=0.01, high=0.99),
        zones=_zones(block),
        calibration=_calibration(block),
        lists=lists,
        mask=tuple(_term(block, "mask", term) for term in block.texts("mask")),
        rules=rules,
        penalties=penalties,
        require=_require(block, rules),
        weights=_weights(block),
        examples=_examples(block),
        place=place,
    )
    _check_thresholds(block, topic)
    return topic


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


def _rules_and_lists(
    block: Block,
) -> tuple[dict[str, tuple[str, ...]], tuple[Rule, ...], tuple[Rule, ...]]:
    """Word lists, rules and penalties; every list is used and every name is known."""
    lists = {
        name: tuple(_term(block, "terms", term) for term in terms)
        for name, terms in block.lists("terms").items()
    }
    for name in lists:
        if not LIST.fullmatch(name):
            fix = "Use letters, digits and hyphens."
            raise block.child("terms").error(name, f"a list name is one word, not {name}", fix)
    named = set(lists)
    used: set[str] = set()
    rules = [_rule(each, RULE_KEYS, lists, used) for each in block.blocks("rules", needed=True)]
    penalties = [_rule(each, PENALTY_KEYS, lists, used) for each in block.blocks("penalties")]
    for unused in sorted(named - used):
        raise block.child("terms").error(
            unused, f"no rule uses the list {unused}", "Use it in a rule, or remove it."
        )
    _check_ids(block, (*rules, *penalties))
    for rule, each in zip(penalties, block.blocks("penalties"), strict=True):
        if rule.points >= 0:
            raise each.error("points", "a penalty takes points away", "Write a number below 0.")
    return lists, tuple(rules), tuple(penalties)


def _rule(
    block: Block, keys: Sequence[str], lists: dict[str, tuple[str, ...]], used: set[str]
) -> Rule:
    """One rule; its inline terms join ``lists`` under a name of their own."""
    block.allow(keys)
    name = block.matching("id", ID, "lower-case words and hyphens")
    if block.has("any") == block.has("near"):
        fix = "Give `any: LIST`, `any: [terms]` or `near: [LIST, LIST]`."
        raise block.error("id", f"rule {name} needs exactly one of any and near", fix)
    if block.has("near"):
        sides = _near_lists(block, lists)
    elif block.is_list("any"):
        lists[f"{name}/any"] = tuple(_term(block, "any", term) for term in block.texts("any"))
        sides = (f"{name}/any",)
    else:
        sides = (_known(block, "any", block.text("any"), lists),)
    used.update(sides)
    if not block.has("near") and (block.has("within") or block.has("unit")):
        raise block.error("id", f"rule {name}: within and unit belong to near", "Remove them.")
    return Rule(
        id=name,
        points=block.number("points", low=-100, high=100),
        lists=sides,
        within=block.integer("within", default=20, low=0, high=MAX_WITHIN),
        unit=UNITS[block.choice("unit", tuple(UNITS), default="sentence")],
        repeat=block.integer("repeat", default=0, low=0, high=MAX_REPEAT),
        distinct=block.flag("distinct", default=False),
        zone_boost=block.flag("zone_boost", default=True),
    )


def _near_lists(block: Block, lists: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    names = block.texts("near")
    if len(names) not in (2, 3):
        raise block.error("near", "near takes two or three lists", "Write `near: [LIST, LIST]`.")
    return tuple(_known(block, "near", name, lists) for name in names)


def _known(block: Block, key: str, name: str, lists: Mapping[str, tuple[str, ...]]) -> str:
    """``name``, if a list has it."""
    if name in lists:
        return name
    close = block.suggestion(name, [each for each in lists if "/" not in each])
    raise block.error(key, f"there is no list {name} under terms", close)


def _term(block: Block, key: str, term: str) -> str:
    """``term``, if the automaton can look for it: words, with wildcards only at the ends."""
    if term == NAME:
        return term
    bare = term.removeprefix("=").removeprefix("*").removesuffix("*")
    if not any(char.isalnum() for char in bare):
        raise block.error(key, f"the term {term!r} has no letter", "Write a word or a phrase.")
    if "*" in bare or "?" in bare:
        fix = "Write the forms out, or put one * at the end or the beginning of the term."
        raise block.error(key, f"the term {term!r} has a wildcard inside", fix)
    if term.startswith("=") and (" " in term or "*" in term):
        fix = "Use = with one plain word, like =US."
        raise block.error(key, f"the term {term!r} mixes = with more than a word", fix)
    return term


def _check_ids(block: Block, rules: Iterable[Rule]) -> None:
    """Evidence names rules, so no two share a name and none takes that of the fitted words."""
    seen = {WORDS}
    for rule in rules:
        if rule.id in seen:
            raise block.error("rules", f"two rules are called {rule.id}", "Rename one of them.")
        seen.add(rule.id)


def _require(block: Block, rules: Sequence[Rule]) -> tuple[str, ...]:
    names = [rule.id for rule in rules]
    for name in block.texts("require"):
        if name not in names:
            close = block.suggestion(name, names)
            raise block.error("require", f"there is no rule {name} to require", close)
    return tuple(block.texts("require"))


def _zones(block: Block) -> Zones:
    part = block.child("zones")
    part.allow(("title", "lead", "body"))
    return Zones(
        title=part.number("title", default=1.0, low=0, high=10),
        lead=part.number("lead", default=1.0, low=0, high=10),
        body=part.number("body", default=1.0, low=0, high=10),
    )


def _calibration(block: Block) -> Calibration:
    part, usual = block.child("calibration"), Calibration()
    part.allow(("points", "slope", "words", "doubling"))
    return Calibration(
        points=part.number("points", default=usual.points, low=0, high=1000),
        slope=part.number("slope", default=usual.slope, low=0.01, high=10),
        words=part.integer("words", default=usual.words, low=1, high=10_000),
        doubling=part.number("doubling", default=usual.doubling, low=0, high=100),
    )


def _weights(block: Block) -> dict[str, float]:
    part = block.child("weights")
    for word in part.names():
        if not all(char.isalnum() or char in " -'" for char in word):
            raise part.error(word, f"the weight {word!r} is no plain word", "Write a word.")
    return {word: part.number(word, low=-100, high=100) for word in part.names()}


def _examples(block: Block) -> tuple[Example, ...]:
    part = block.child("tests")
    part.allow(("yes", "no"))
    return tuple(
        Example(text=text, expected=key == "yes", place=place)
        for key in ("yes", "no")
        for text, place in part.texts_with_places(key)
    )


def _check_thresholds(block: Block, topic: Topic) -> None:
    """Both bands can be reached, and in this order."""
    if topic.review > topic.threshold:
        fix = "Put review below threshold."
        raise block.error("review", "the review band must begin below the threshold", fix)
    boost = max(topic.zones.title, topic.zones.lead, topic.zones.body)
    most = sum(
        rule.most * (boost if rule.zone_boost else 1) for rule in topic.rules if rule.points > 0
    ) + sum(points for points in topic.weights.values() if points > 0)
    best = probability(most, topic.calibration.words, topic.calibration)
    if best < topic.threshold:
        raise block.error(
            "threshold",
            f"no text can reach {topic.threshold}: all rules together score {best:.2f}",
            "Give rules more points, or lower threshold or calibration.points.",
        )

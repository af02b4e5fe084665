"""Topic files: what is accepted, and what every refusal says."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from ingest.errors import FileError
from processors.topic import Rule
from processors.topic_file import MAX_BYTES, load_topic, merge
from processors.topics import TopicEngine, run_examples

GOOD = """\
schema: 1
id: fruit-trade
label: Fruit trade
version: 2
terms:
  fruit: [apple*, pear]
  move: [sale, ship*]
mask: [apple of discord]
rules:
  - {id: fruit-move, points: 9, near: [fruit, move], within: 5, unit: sentence}
  - {id: fruit-word, points: 3, any: fruit, repeat: 1, distinct: yes, zone_boost: no}
  - {id: place, points: 1, any: ["@name", =US]}
require: [place]
penalties:
  - {id: pie, points: -4, any: [pie]}
tests:
  yes: [The sale of apples]
  no: [Pies]
"""


def load(text: str) -> None:
    load_topic(text, place="fruit.yaml")


def swapped(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_a_good_file_becomes_a_topic() -> None:
    topic = load_topic(GOOD, place="fruit.yaml")
    assert (topic.id, topic.version, topic.lang, topic.place) == (
        "fruit-trade",
        2,
        "en",
        "fruit.yaml",
    )
    assert (topic.threshold, topic.review) == (0.5, 0.2)
    assert topic.rules[0] == Rule(
        id="fruit-move", points=9, lists=("fruit", "move"), within=5, unit="sentence"
    )
    assert (topic.rules[1].distinct, topic.rules[1].zone_boost, topic.rules[1].most) == (
        True,
        False,
        4.5,
    )
    assert topic.lists["place/any"] == ("@name", "=US")
    assert [(each.expected, each.place) for each in topic.examples] == [
        (True, "fruit.yaml:17"),
        (False, "fruit.yaml:18"),
    ]


def test_optional_parts_are_read() -> None:
    topic = load_topic(
        GOOD
        + "see: {iptc: ['medtop:1']}\ndescription: Fruit.\nlang: ar\nthreshold: 0.6\nreview: 0.3\n"
        + "zones: {title: 2}\ncalibration: {points: 6, slope: 2, words: 30, doubling: 1}\n"
        + "weights: {orchard: 1.5, cider: -1}\n",
        place="x",
    )
    assert topic.see == {"iptc": ("medtop:1",)}
    assert (topic.lang, topic.threshold, topic.review) == ("ar", 0.6, 0.3)
    assert (topic.zones.title, topic.zones.lead) == (2, 1)
    assert (topic.calibration.words, topic.calibration.slope) == (30, 2)
    assert topic.weights == {"orchard": 1.5, "cider": -1}


def test_words_that_yaml_takes_for_truth_values_stay_words() -> None:
    topic = load_topic(swapped("[pie]", "[no, on, 155, yes]"), place="x")
    assert topic.lists["pie/any"] == ("no", "on", "155", "yes")


def test_every_shipped_file_is_good() -> None:
    for file in (files("deploy") / "topics").iterdir():
        topic = load_topic(file.read_text("utf-8"), place=file.name)
        assert file.name.removesuffix(".yaml") in {topic.id, f"{topic.id}.{topic.lang}"}


def test_the_example_of_the_manual_is_a_good_file_that_passes_its_tests() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "topics.md").read_text("utf-8")
    example = manual.split("```yaml\n", 1)[1].split("```", 1)[0]
    topic = load_topic(example, place="docs/topics.md")
    assert len(topic.examples) == 2
    assert run_examples(topic, TopicEngine([topic])) == ()


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (swapped("schema: 1", "schema: 2"), 1, "schema must be 1", "Write `schema: 1`"),
        (swapped("mask:", "maks:"), 8, "unknown key maks", "Did you mean mask?"),
        (swapped("mask:", "qqq:"), 8, "unknown key qqq", "Known: schema, id"),
        (swapped("id: fruit-trade", "id: Fruit Trade"), 2, "is not lower-case", "like"),
        (swapped("label: Fruit trade", "label: [a]"), 3, "needs label", "Write `label"),
        (swapped("label: Fruit trade\n", ""), 1, "needs label", "Write `label"),
        (swapped("version: 2", "version: two"), 4, "must be a number", "Write"),
        (swapped("version: 2", "version: 1.5"), 4, "must be a whole number", "Write"),
        (swapped("version: 2", "version: 0"), 4, "outside 1 to", "Write a number from 1"),
        (swapped("version: 2", "version: .nan"), 4, "must be a number", "Write"),
        (swapped("version: 2", "version: nan"), 4, "outside", "Write"),
        (swapped("[fruit, move], within", "[fruti, move], within"), 10, "no list fruti", "fruit"),
        (swapped("[fruit, move], within", "[fruit], within"), 10, "two or three lists", "near"),
        (swapped("any: fruit,", "any: qqq,"), 11, "no list qqq", "Known: fruit, move"),
        (swapped("  move:", "  spare: [x]\n  move:"), 7, "no rule uses the list spare", "remove"),
        (swapped("  move:", "  a/b: [x]\n  move:"), 7, "a list name is", "letters"),
        (swapped("[pie]", "[pie], within: 3"), 15, "unknown key within", "Known"),
        (swapped("any: fruit,", "any: fruit, within: 3,"), 11, "belong to near", "Remove"),
        (swapped("any: fruit,", "any: fruit, near: [fruit, move],"), 11, "exactly one", "Give"),
        (swapped("any: fruit,", ""), 11, "exactly one of any and near", "Give"),
        (swapped("unit: sentence", "unit: sentense"), 10, "unit cannot be", "sentence?"),
        (swapped("distinct: yes", "distinct: maybe"), 11, "must be true or false", "true"),
        (swapped("repeat: 1", "repeat: 99"), 11, "outside 0 to 20", "Write a number"),
        (swapped("require: [place]", "require: [plaice]"), 13, "no rule plaice", "place?"),
        (swapped("points: -4", "points: 4"), 15, "takes points away", "below 0"),
        (swapped("id: pie", "id: place"), 9, "two rules are called place", "Rename"),
        (swapped("id: pie", "id: words"), 9, "two rules are called words", "Rename"),
        (swapped("[pie]", "['p*e']"), 15, "wildcard inside", "Write the forms out"),
        (swapped("[pie]", "['p?e']"), 15, "wildcard inside", "Write the forms out"),
        (swapped("[pie]", "['*']"), 15, "has no letter", "Write a word"),
        (swapped("[pie]", "[=a b]"), 15, "mixes =", "=US"),
        (swapped("[pie]", "[]"), 15, "must be a list of words", "[a, b]"),
        (swapped("[pie]", "[[a]]"), 15, "must be a list of words", "[a, b]"),
        (swapped("[pie]", "{a: b}"), 15, "needs any, a text", "any"),
        (swapped("mask: [apple of discord]", "mask: x"), 8, "must be a list of words", "[a, b]"),
        (swapped("mask: [apple of discord]", "zones: [1]"), 8, "must be `key: value`", "pairs"),
        (swapped("mask: [apple of discord]", "review: 0.9"), 8, "begin below", "Put review below"),
        (swapped("points: 9", "points: 1"), 1, "no text can reach", "Give rules more points"),
        (swapped("mask: [apple of discord]", "weights: {'a*': 1}"), 8, "no plain word", "word"),
        (swapped("mask: [apple of discord]", "id: twice"), 8, "id stands twice", "Remove"),
        (swapped("mask: [apple of discord]", "[a]: b"), 8, "a key must be a word", "key: value"),
        (swapped("  yes: [", "  maybe: ["), 17, "unknown key maybe", "Known: yes, no"),
        (GOOD.split("rules:", maxsplit=1)[0], 1, "rules must be a list", "below it a line"),
        (swapped("rules:\n", "rules: []\nrest:\n"), 10, "unknown key rest", "Did you"),
        ("- a\n- b\n", 1, "must be `key: value` pairs", "Write pairs"),
        ("a: [1\nb: 2\n", 2, "not YAML", "Check indentation"),
    ],
)
def test_a_fault_is_named_with_its_line_and_a_fix(
    text: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(FileError) as caught:
        load(text)
    assert caught.value.place == f"fruit.yaml:{line}"
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["[" * 2000, "a: \0b"])
def test_a_file_that_yaml_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(FileError, match="YAML") as caught:
        load(text)
    assert caught.value.hint


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(FileError, match="schema"):
        load("")


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(FileError, match="at most"):
        load("#" * (MAX_BYTES + 1))


def test_a_users_file_replaces_the_shipped_one_of_its_id_and_language() -> None:
    shipped = load_topic(GOOD, place="a")
    arabic = load_topic(GOOD + "lang: ar\n", place="b")
    own = load_topic(swapped("version: 2", "version: 9"), place="c")
    assert [(each.lang, each.version) for each in merge([shipped, arabic], [own])] == [
        ("ar", 2),
        ("en", 9),
    ]


def test_two_files_of_one_folder_may_not_say_the_same_id() -> None:
    one, two = (load_topic(GOOD, place=place) for place in ("a", "b"))
    with pytest.raises(FileError, match="is also in a"):
        merge([], [one, two])

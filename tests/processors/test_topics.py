"""Topics on articles: rules, zones, masks, gates, probability, evidence."""

from __future__ import annotations

import time
from importlib.resources import files
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.analysis import analyse
from processors.evidence import Joined
from processors.records import TopicTag
from processors.scoring import Found, ceiling, probability
from processors.topic import Calibration, Topic
from processors.topic_file import load_topic
from processors.topics import Explanation, TopicEngine, evaluate, explain, run_examples

HEAD = """schema: 1
id: t
label: Test topic
version: 3
calibration: {points: 5, slope: 1, words: 100, doubling: 2}
"""

CAIRO = """\
Negotiators from both sides returned to Cairo on Sunday for a new round of talks on a truce in the \
coastal strip, two days after shelling killed eleven people near the southern crossing.

Egyptian mediators said they had put a revised text on the table. It provides for a pause in the \
fighting of six weeks, during which captives would be exchanged in three groups and lorries with \
flour and fuel would be let through at two crossings. A committee of officers from three \
neighbouring states would watch over the ceasefire and settle complaints within a day.

The movement's delegation, led by its deputy chairman, wants a written promise that the pause will \
become permanent. The government has so far refused to give one. "We are nearer than last month, \
and further away than people think," a diplomat who follows the talks said. He asked not to be \
named because the talks are confidential.

In the streets of the capital thousands called on the cabinet to sign. Families of the captives \
set up tents before the defence ministry. A minister of the smallest party in the coalition said \
he would resign if the truce came before the tunnels had been destroyed.

On the ground little changed. Residents of the northern quarters spoke of drones over the market \
all night, and the hospital on the coast road took in nine wounded. Aid agencies counted forty \
lorries on Saturday, a tenth of what they say is needed. The price of a sack of flour has doubled \
since the spring, and bakeries that reopened in May have closed again for want of fuel.

The mediators want an answer by Thursday, before the holidays begin. If there is none, one of them \
said, the talks may move to Doha, where the first pause was agreed in the winter. That one lasted \
nine days and ended when a patrol was shot at near the fence.

Separately, officials in Washington said the administration had approved a new arms package for \
its ally worth 2.4 billion dollars. It includes 1,800 heavy bombs, guidance kits and a first \
delivery of tank shells, to be shipped from stocks in Italy next month. Two senators said they \
would try to block the sale of the bombs until lorries can pass freely.
"""


def shipped(name: str) -> Topic:
    text = (files("deploy") / "topics" / f"{name}.yaml").read_text("utf-8")
    return load_topic(text, place=name)


@pytest.fixture(scope="module")
def both() -> TopicEngine:
    return TopicEngine([shipped("ceasefire-talks"), shipped("arms-transfers")])


def engine(rules: str, *, head: str = HEAD) -> TopicEngine:
    return TopicEngine([load_topic(head + rules, place="t.yaml")])


def tag(on: TopicEngine, text: str, *, title: str = "", language: str = "en") -> list[TopicTag]:
    return list(on.tag(analyse(title), analyse(text), language=language))


def only(on: TopicEngine, text: str, *, title: str = "") -> Explanation:
    found = explain(on, analyse(title), analyse(text), language="en")
    assert len(found) == 1
    return found[0]


NEAR = """
terms: {a: [apple*], b: [bear, brown bear]}
rules: [{id: r, points: 6, near: [a, b], within: 2, unit: UNIT}]
"""


def near(unit: str) -> TopicEngine:
    return engine(NEAR.replace("UNIT", unit))


def test_an_article_on_truce_talks_with_an_arms_package_at_its_end_gets_both_topics(
    both: TopicEngine,
) -> None:
    tags = tag(both, CAIRO, title="Truce talks resume in Cairo")
    assert {(each.topic, each.band) for each in tags} == {
        ("ceasefire-talks", "tag"),
        ("arms-transfers", "tag"),
    }


def test_the_article_shows_the_words_that_earned_each_topic(both: TopicEngine) -> None:
    tags = {each.topic: each for each in tag(both, CAIRO, title="Truce talks resume in Cairo")}
    talks = " ".join(each.text for each in tags["ceasefire-talks"].evidence)
    arms = " ".join(each.text for each in tags["arms-transfers"].evidence)
    assert "ceasefire" in talks
    assert "Truce talks" in talks
    assert "arms package" in arms
    assert "sale of the bombs" in arms
    assert "ceasefire" not in arms


def test_the_article_keeps_both_topics_without_a_title(both: TopicEngine) -> None:
    assert {each.topic for each in tag(both, CAIRO) if each.band == "tag"} == {
        "ceasefire-talks",
        "arms-transfers",
    }


@pytest.mark.parametrize("name", ["ceasefire-talks", "arms-transfers"])
def test_a_shipped_topic_passes_its_own_examples(name: str, both: TopicEngine) -> None:
    topic = shipped(name)
    expected = [example.expected for example in topic.examples]
    assert expected.count(True) >= 12
    assert expected.count(False) >= 12
    assert run_examples(topic, both) == ()


@pytest.mark.parametrize(
    "text",
    [
        "The two supermarket chains ended their price war with a truce over bread and butter.",
        "Brussels and Washington agreed a trade truce and will drop tariffs on cheese.",
        "The transfer window shut before the club could sign its striker.",
        "Letters from the Christmas truce of 1914 were sold at auction.",
        "The town's new coat of arms shows two crossed rifles.",
        "A robotic arm welds the doors in the new plant.",
        "Police seized nine rifles and a pistol in a raid on a gang in the harbour.",
        "The army deployed tanks and missiles along its own border.",
        "North Korea test-fired a ballistic missile on Tuesday.",
        "The two powers resumed nuclear arms control talks in Geneva.",
        "Union leaders called a truce with the airline after a week of strikes.",
        "The anniversary of the armistice of 1918 was marked with wreaths and veterans.",
        "Two street gangs in the suburb agreed a truce after talks with outreach workers.",
    ],
)
def test_a_known_trap_is_not_tagged(text: str, both: TopicEngine) -> None:
    assert [each.topic for each in tag(both, text) if each.band == "tag"] == []


def test_a_text_without_a_term_has_no_topic(both: TopicEngine) -> None:
    assert tag(both, "The choir sang until midnight.") == []
    assert tag(both, "") == []


def test_an_engine_without_topics_tags_nothing() -> None:
    assert tag(TopicEngine([]), CAIRO) == []


def test_evidence_points_into_the_original_text_and_title() -> None:
    on = engine("terms: {a: [façade*]}\nrules: [{id: r, points: 9, any: a}]\n")
    title, text = "“Façades” today", "Ünder the FAÇADES, café façade."
    tags = tag(on, text, title=title)
    spots = {
        each.zone: [(title if each.zone == "title" else text)[a:b] for a, b in each.spans]
        for each in tags[0].evidence
    }
    assert spots == {"title": ["Façades"], "lead": ["FAÇADES", "façade"]}
    assert {each.text for each in tags[0].evidence} == {"Façades", "FAÇADES … façade"}


def test_evidence_holds_at_most_two_hundred_spans() -> None:
    on = engine("rules: [{id: r, points: 9, any: [apple]}, {id: s, points: 9, any: [bear]}]\n")
    tags = tag(on, "apple bear. " * 600)
    assert sum(len(each.spans) for each in tags[0].evidence) == 200


def test_points_of_title_and_lead_are_boosted_unless_the_rule_says_no() -> None:
    zones = "zones: {title: 3, lead: 2, body: 1}\n"
    texts = [("", "None. None. An apple."), ("", "An apple."), ("An apple", "None.")]
    for boost, points in (("true", [2, 4, 6]), ("false", [2, 2, 2])):
        rule = f"rules: [{{id: r, points: 2, any: [apple], zone_boost: {boost}}}]\n"
        on = engine(zones + rule + "threshold: 0.02\nreview: 0.01\n")
        assert [only(on, text, title=title).points for title, text in texts] == points


def test_a_repeat_adds_half_up_to_its_limit() -> None:
    on = engine("rules: [{id: r, points: 4, any: [apple], repeat: 2}]\n")
    points = [only(on, "apple " * count).points for count in (1, 2, 3, 4)]
    assert points == [4, 6, 8, 8]


def test_distinct_counts_different_words_only() -> None:
    on = engine("rules: [{id: r, points: 4, any: [apple, pear], repeat: 3, distinct: true}]\n")
    assert only(on, "apple apple apple").points == 4
    assert only(on, "apple pear apple").points == 6


@pytest.mark.parametrize(
    ("unit", "text", "fires"),
    [
        ("sentence", "An apple for the bear.", True),
        ("sentence", "The bear ate an apple.", True),
        ("sentence", "An apple, then at long last the bear.", False),
        ("sentence", "An apple. Bear it.", False),
        ("sentence", "A brown bear apple.", True),
        ("paragraph", "An apple. Bear it.", True),
        ("paragraph", "An apple.\n\nBear it.", False),
        ("text", "An apple.\n\nBear it.", True),
        ("text", "No fruit. Bears only.", False),
    ],
)
def test_near_asks_for_words_between_and_a_shared_unit(
    unit: str, text: str, *, fires: bool
) -> None:
    found = explain(near(unit), analyse(""), analyse(text), language="en")
    assert bool(found and found[0].points) is fires


def test_title_and_text_are_never_near_each_other() -> None:
    found = explain(near("text"), analyse("Apple"), analyse("bear"), language="en")
    assert [each.points for each in found] == [0]


def test_near_of_three_lists_needs_all_of_them() -> None:
    on = engine(
        "terms: {a: [apple], b: [bear], c: [cat]}\n"
        "rules: [{id: r, points: 9, near: [a, b, c], within: 3}]\n"
    )
    assert tag(on, "apple and bear and cat")[0].evidence[0].text == "apple and bear and cat"
    assert tag(on, "apple and bear and then quite another cat") == []


def test_a_phrase_does_not_cross_a_paragraph_end() -> None:
    on = engine("rules: [{id: r, points: 9, any: [brown bear]}]\n")
    assert tag(on, "a brown bear")
    assert not tag(on, "a brown\n\nbear")


def test_wildcards_stand_at_either_end_of_a_word() -> None:
    on = engine("rules: [{id: r, points: 9, any: [missil*, '*boat']}]\n")
    assert [
        each.evidence[0].text for each in (*tag(on, "two missiles"), *tag(on, "a gunboat"))
    ] == [
        "missiles",
        "gunboat",
    ]
    assert tag(on, "dismissile") == []


def test_a_term_with_an_equals_sign_asks_for_its_case() -> None:
    on = engine("rules: [{id: r, points: 9, any: [=US]}]\n")
    assert tag(on, "The US said so")
    assert not tag(on, "He told us so")


def test_a_mask_hides_its_words_from_every_rule() -> None:
    on = engine("mask: [price war*]\nrules: [{id: r, points: 9, any: [war*], repeat: 1}]\n")
    assert tag(on, "A price war between shops") == []
    found = only(on, "A price war, and a war.")
    assert found.points == 9
    assert found.masked == ("price war",)


def test_of_overlapping_terms_the_longest_counts_once() -> None:
    on = engine("rules: [{id: r, points: 4, any: [apple, apple pie, pie], repeat: 5}]\n")
    assert only(on, "an apple pie").points == 4


GATED = """
rules:
  - {id: fruit, points: 9, any: [apple]}
  - {id: place, points: 1, any: PLACES}
require: [place]
"""


def test_without_its_required_rule_a_topic_is_not_tagged() -> None:
    on = engine(GATED.replace("PLACES", "[orchard]"))
    assert tag(on, "an apple") == []
    assert only(on, "an apple").gated
    assert tag(on, "an apple in the orchard")


def test_a_required_rule_alone_gives_no_tag() -> None:
    on = engine(GATED.replace("PLACES", "[orchard]").replace("points: 1", "points: 90"))
    assert tag(on, "the orchard") == []


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("Yesterday in Ouagadougou they ate an apple", True),
        ("They ate an apple with Burundian rebels", True),
        ("yesterday in ouagadougou they ate an apple", False),
        ("THEY ATE AN APPLE IN OUAGADOUGOU", False),
        ("They ate an apple", False),
    ],
)
def test_a_gate_accepts_any_proper_name_of_a_cased_text(text: str, *, is_named: bool) -> None:
    on = engine(GATED.replace("PLACES", '["@name", orchard]'))
    assert bool(tag(on, text)) is is_named


def test_penalties_take_points_away_and_are_shown() -> None:
    on = engine(
        "rules: [{id: r, points: 9, any: [apple]}]\n"
        "penalties: [{id: p, points: -5, any: [tax], repeat: 1}]\n"
    )
    found = only(on, "apple tax and tax and tax")
    assert found.points == 1.5
    assert [(each.rule, each.points) for each in found.evidence] == [("r", 9.0), ("p", -7.5)]


def test_fitted_words_count_once_and_only_near_the_evidence() -> None:
    on = engine("weights: {envoy: 2, cake: -3}\nrules: [{id: r, points: 6, any: [apple]}]\n")
    assert only(on, "An apple. An envoy and an envoy.").points == 8
    assert only(on, "An apple. No. No. An envoy.").points == 6
    found = only(on, "An apple and a cake.")
    assert found.points == 3
    assert [(each.rule, each.text) for each in found.evidence] == [
        ("r", "apple"),
        ("words", "cake"),
    ]


def test_a_score_is_a_probability_that_asks_more_of_a_longer_text() -> None:
    calibration = Calibration(points=10, slope=0.5, words=50, doubling=2)
    assert probability(10, 50, calibration) == 0.5
    assert probability(10, 3, calibration) == 0.5
    assert probability(12, 100, calibration) == 0.5
    assert probability(1e6, 50, calibration) > 0.99
    assert probability(-1e6, 50, calibration) < 0.01


@given(st.floats(-50, 50), st.floats(0, 50), st.integers(1, 5000))
def test_more_points_never_lower_the_score(points: float, more: float, length: int) -> None:
    calibration = Calibration()
    assert probability(points + more, length, calibration) >= probability(
        points, length, calibration
    )


def test_scores_fall_into_the_tag_band_the_review_band_or_none() -> None:
    on = engine(
        "rules: [{id: r, points: 6, any: [apple]}, {id: s, points: 4, any: [pear]},"
        " {id: u, points: 1, any: [plum]}]\n"
    )
    assert [(each.band, each.version) for each in tag(on, "apple")] == [("tag", 3)]
    assert [each.band for each in tag(on, "pear")] == ["review"]
    assert tag(on, "plum") == []
    assert only(on, "plum").band is None


def test_a_topic_applies_to_its_language_and_english_where_none_is_known() -> None:
    english = load_topic(HEAD + "rules: [{id: r, points: 9, any: [taxi]}]\n", place="a")
    french = load_topic(
        HEAD.replace("version: 3", "version: 5\nlang: fr")
        + "rules: [{id: r, points: 9, any: [taxi]}]\n",
        place="b",
    )
    on = TopicEngine([english, french])
    versions = [
        [each.version for each in tag(on, "un taxi", language=lang)]
        for lang in ("en", "en-GB", "", "fr", "de")
    ]
    assert versions == [[3], [3], [3], [5], []]
    assert on.versions == (("t", 5),)


def test_chinese_and_arabic_terms_are_found() -> None:
    on = engine("rules: [{id: r, points: 9, any: [停火, 'وقف إطلاق النار']}]\n")
    assert tag(on, "双方同意停火三天。")[0].evidence[0].text == "停火"
    assert tag(on, "اتفق الطرفان على وقف إطلاق النار اليوم")


def test_tags_come_best_first() -> None:
    one = load_topic(HEAD + "rules: [{id: r, points: 6, any: [apple]}]\n", place="a")
    two = load_topic(
        HEAD.replace("id: t", "id: u") + "rules: [{id: r, points: 9, any: [apple]}]\n", place="b"
    )
    assert [each.topic for each in tag(TopicEngine([one, two]), "apple")] == ["u", "t"]


def test_a_text_that_repeats_one_phrase_costs_no_more_than_its_length(both: TopicEngine) -> None:
    text = "Truce talks with rebels on weapons sold to Yemen in a price war. " * 6000
    started = time.process_time()
    found = explain(both, analyse(""), analyse(text), language="en")
    assert len(found) == 2
    assert time.process_time() - started < 10


WORDS = ["apple", "bear", "cat", "Oslo", "OSLO", "tax", "pie.", "and", "\n\n"]
MIXED = """
terms: {a: [apple], b: [bear, cat]}
mask: [apple pie]
zones: {title: 2, lead: 1.5, body: 1}
rules:
  - {id: n, points: 5, near: [a, b], within: 3, unit: sentence, repeat: 1}
  - {id: o, points: 3, near: [b, a], within: 1, unit: text, zone_boost: false}
  - {id: w, points: 2, any: b, repeat: 2}
  - {id: c, points: 1, any: [=OSLO]}
  - {id: g, points: 1, any: ["@name", tax]}
require: [g]
penalties: [{id: p, points: -2, any: [tax]}]
weights: {and: 0.5}
"""


@given(
    st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
)
def test_leaving_hopeless_topics_out_changes_no_tag(title: str, text: str) -> None:
    on = engine(MIXED)
    found = explain(on, analyse(title), analyse(text), language="en")
    scores = {each.topic: each.score for each in found if each.band}
    assert {each.topic: each.score for each in tag(on, text, title=title)} == scores


def test_failed_examples_are_named_with_their_line() -> None:
    topic = load_topic(
        HEAD
        + "rules: [{id: r, points: 9, any: [apple]}]\ntests:\n  yes:\n  - a pear\n  - an apple\n"
        + "  no:\n  - apple pie\n  - a plum\n",
        place="t.yaml",
    )
    assert run_examples(topic, TopicEngine([topic])) == (
        "t.yaml:9: is not tagged: a pear …",
        "t.yaml:12: is tagged: apple pie …",
    )


def test_figures_count_bands_and_leave_doubtful_labels_out() -> None:
    on = engine("rules: [{id: r, points: 6, any: [apple]}, {id: s, points: 4, any: [pear]}]\n")
    texts = ["apple", "pear", "plum"]
    items: list[dict[str, object]] = [
        {"text": text, "labels": labels} for text, labels in product(texts, (["Test Topic"], []))
    ]
    items += [
        {"text": "apple", "labels": [], "uncertain": ["t"]},
        {"text": "apple", "labels": [], "ambiguous": True},
        {"text": "apple", "labels": "none"},
    ]
    review, tagged = evaluate(on, items)
    assert (tagged.band, tagged.texts, tagged.positives) == ("tag", 7, 3)
    assert (tagged.found, tagged.false, tagged.recall, tagged.precision) == (1, 2, 0.3333, 0.3333)
    assert (review.found, review.false, review.f1) == (2, 3, 0.5)


def test_figures_name_no_topic_without_positives() -> None:
    on = engine("rules: [{id: r, points: 6, any: [apple]}]\n")
    assert evaluate(on, [{"text": "plum", "labels": []}]) == ()


def test_figures_of_a_topic_that_finds_nothing_are_zero() -> None:
    on = engine("rules: [{id: r, points: 6, any: [apple]}]\n")
    assert {each.f1 for each in evaluate(on, [{"text": "plum", "labels": ["t"]}])} == {0.0}


def spans(*starts: int) -> list[tuple[int, int]]:
    return [(start, start + 1) for start in starts]


@pytest.mark.parametrize(
    ("found", "points"),
    [
        (Found(lists={"a": spans(0), "b": spans(4)}), 2 * 5 + 2 * 2),
        (Found(lists={"a": spans(0, 8), "b": spans(4)}), 2 * 5 * 1.5 + 2 * 2),
        (Found(lists={"a": spans(0), "b": spans(5)}), 2 * 2),
        (Found(lists={"a": spans(0), "b": spans(0)}), 2 * 2),
        (Found(words={"and": spans(3)}), 0.5),
    ],
)
def test_places_too_far_apart_promise_no_points(found: Found, points: float) -> None:
    rules = MIXED.replace("require: [g]\n", "")
    topic = load_topic(HEAD + rules, place="t.yaml")
    # The list of names is open: one point more, twice that in the title.
    assert ceiling(topic, found, named=["g/any"]) == pytest.approx(points + 2)


def test_a_required_rule_that_cannot_fire_promises_no_points() -> None:
    topic = load_topic(HEAD + MIXED, place="t.yaml")
    assert ceiling(topic, Found(lists={"b": spans(1)}), named=[]) == 0


@given(
    st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
)
def test_the_quick_length_is_the_number_of_tokens(title: str, text: str) -> None:
    joined = Joined(analyse(title), analyse(text))
    assert joined.length == joined.tokens.length

"""Signatures, copies and stories."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.wire import encode
from processors import centroids, stories
from processors.analysis import analyse
from processors.copies import read_hashes, similarity
from processors.signatures import idf, read_terms
from processors.stories import BESIDE_A_WORD, MIN_WORDS, Placed, Placement, Window, signature
from tests.made_up_news import START, converging, name, text_about, topic_words

ROOT = Path(__file__).resolve().parents[2]

HARBOUR = (
    "Dock workers in the port of Velmara walked out at dawn on Tuesday after talks on overtime"
    " pay broke down, the harbour authority said. Cranes stood idle and eleven container ships"
    " waited outside the breakwater. The union's chair, Tomas Derrin, told members that a new"
    " offer was expected before the weekend. Shipping lines warned of delays of several days."
)
EARNINGS = (
    "{name} Corp reported net profit of {a} million crowns in the third quarter, compared with {b}"
    " million a year earlier. Sales were {c} million against {d} million. The board proposed a"
    " dividend of {e} crowns a share, payable on {f} November to holders of record."
)


def place(
    window: Window, name: str, text: str, *, title: str = "", hours: float = 0.0, order: int = 0
) -> Placement:
    seen = START + timedelta(hours=hours)
    return window.place(
        name, signature(title, text), seen=seen, order=order, source=f"{name}.example"
    )


def test_a_signature_is_the_same_in_a_process_with_another_hash_seed() -> None:
    code = (
        "import sys; from processors.stories import signature; from ingest.wire import encode;"
        "sys.stdout.buffer.write(encode(signature('A title', sys.argv[1])))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code, HARBOUR],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1] == encode(signature("A title", HARBOUR))


def test_a_signature_takes_strings_or_what_was_analysed() -> None:
    assert signature("A title", HARBOUR) == signature(analyse("A title"), analyse(HARBOUR))


def test_a_signature_of_a_long_text_stays_small() -> None:
    rng = random.Random(3)
    text = text_about([w for _ in range(300) for w in topic_words(rng)], rng, length=60_000)
    assert len(encode(signature("Long", text))) < 900


def test_the_signature_of_nothing_is_empty() -> None:
    assert signature("", "").shingles == ""
    assert signature("", "").length == 0
    assert read_terms(signature("", "").terms) == []


@given(st.text(max_size=300), st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_signature_that_can_be_read_back(title: str, body: str) -> None:
    found = signature(title, body)
    assert bool(read_hashes(found)) == bool(found.size)
    assert all(weight > 0 and " " not in term for term, weight in read_terms(found.terms))


def test_the_sketch_estimates_the_share_of_common_shingles() -> None:
    rng = random.Random(5)
    words = [f"w{rng.randrange(10**9)}x" for _ in range(900)]
    one, other = signature("", " ".join(words[:600])), signature("", " ".join(words[300:]))
    same = similarity(read_hashes(one), read_hashes(other))
    assert abs(same - 300 / 900) < 0.15


def test_common_words_and_numbers_weigh_nothing() -> None:
    assert idf("the") == 0
    assert idf("1987") == 0
    assert idf("velmara") > idf("government") > 0


def test_ideographs_are_weighed_in_pairs() -> None:
    terms = dict(read_terms(signature("停火谈判", "停火谈判在开罗继续进行").terms))
    assert "停火" in terms


def test_the_same_text_from_another_source_is_a_copy_in_the_same_story() -> None:
    window = Window(72)
    first = place(window, "one", HARBOUR)
    second = place(window, "two", HARBOUR, title="Port strike", hours=2, order=1)
    assert first.copy_of == ""
    assert (second.copy_of, second.story_id) == ("one", "one")
    assert second.similarity > 0.9
    assert second.story_size == 2
    assert second.story_sources == ("one.example", "two.example")


def test_a_copy_of_a_copy_names_the_first() -> None:
    window = Window(72)
    copies = [
        place(window, article, HARBOUR, hours=order, order=order).copy_of
        for order, article in enumerate(("one", "two", "three"))
    ]
    assert copies == ["", "one", "one"]


def test_a_shortened_text_is_a_copy_of_the_whole() -> None:
    window = Window(72)
    place(window, "long", HARBOUR)
    short = " ".join(HARBOUR.split()[: len(HARBOUR.split()) * 6 // 10])
    assert place(window, "short", short, order=1).copy_of == "long"


def test_reports_from_one_template_with_other_numbers_are_no_copies() -> None:
    window = Window(72)
    rng = random.Random(8)
    for order in range(30):
        numbers = {key: f"{rng.randrange(10, 99)}.{rng.randrange(10)}" for key in "abcde"}
        text = EARNINGS.format(name=f"Firm{order}", f=rng.randrange(1, 30), **numbers)
        assert place(window, f"a{order}", text, order=order).copy_of == ""


@pytest.mark.parametrize("title", ["Morning briefing", "News in brief", "Photo of the day"])
def test_texts_of_a_few_words_stay_alone(title: str) -> None:
    assert len(title.split()) < MIN_WORDS
    window = Window(72)
    for order in range(5):
        at = place(window, f"a{order}", "", title=title, order=order)
        assert (at.story_id, at.copy_of) == (f"a{order}", "")


def test_equal_boilerplate_below_different_titles_makes_no_copies() -> None:
    boilerplate = "Read the whole story on our website and subscribe to the newsletter today."
    window = Window(72)
    place(window, "one", boilerplate, title="Velmara dockers return to work after pay deal")
    other = place(
        window, "two", boilerplate, title="Snow closes mountain pass near Ostrel", order=1
    )
    assert other.copy_of == ""


def test_an_article_about_the_same_event_joins_its_story_and_another_does_not() -> None:
    rng = random.Random(1)
    event, other = topic_words(rng), topic_words(rng)
    window = Window(72)
    place(window, "one", text_about(event, rng))
    second = place(window, "two", text_about(event, rng), order=1)
    third = place(window, "three", text_about(other, rng), order=2)
    assert (second.story_id, second.copy_of) == ("one", "")
    assert third.story_id == "three"


@pytest.mark.parametrize(("least", "story"), [(0.0, "port"), (BESIDE_A_WORD, "choir")])
def test_a_rare_name_alone_brings_nothing_together(
    least: float, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stories, "BESIDE_A_WORD", least)
    window = Window()
    place(window, "port", "The port of Velmara was shut. Velmara's cranes stood idle all day.")
    choir = "A choir sang in Velmara for its mayor, and Velmara brought cake for the sopranos."
    assert place(window, "choir", choir).story_id == story


def test_articles_seen_together_but_published_far_apart_are_two_stories() -> None:
    rng = random.Random(1)
    event = topic_words(rng)
    window = Window(72)
    stories = [
        window.place(
            f"day {day}",
            signature("", text_about(event, rng)),
            seen=START,
            published=START - timedelta(days=day),
            order=order,
        ).story_id
        for order, day in enumerate((1, 900, 3, 902))
    ]
    assert stories == ["day 1", "day 900", "day 1", "day 900"]


def test_equal_words_in_two_languages_make_no_story() -> None:
    rng = random.Random(1)
    event = topic_words(rng)
    window = Window(72)
    stories = [
        window.place(
            language,
            signature("", text_about(event, rng)),
            seen=START,
            order=order,
            language=language,
        ).story_id
        for order, language in enumerate(("es", "pt"))
    ]
    assert stories == ["es", "pt"]


def test_what_is_older_than_the_window_is_forgotten() -> None:
    window = Window(72)
    place(window, "one", HARBOUR)
    assert place(window, "two", HARBOUR, hours=71, order=1).copy_of == "one"
    assert place(window, "three", HARBOUR, hours=144, order=2).story_id == "three"
    assert len(window) == 1


def test_an_article_that_comes_again_is_no_copy_of_itself() -> None:
    window = Window(72)
    place(window, "one", HARBOUR)
    again = place(window, "one", HARBOUR, hours=1, order=1)
    assert (again.story_id, again.copy_of, again.similarity) == ("one", "", 0.0)
    other = "Something else entirely that shares no word whatever and is long enough."
    assert place(window, "one", other, hours=2, order=2).story_id == "one"
    assert place(window, "two", HARBOUR, hours=200, order=3).story_id == "two"


def test_a_word_that_half_the_window_holds_brings_nothing_together() -> None:
    rng = random.Random(2)
    template = [name(rng) for _ in range(4)]
    window = Window(72)
    stories = []
    for order in range(1_100):
        text = " ".join(template + [name(rng) for _ in range(8)])
        stories.append(place(window, f"a{order}", text, order=order).story_id)
    assert stories[400] == "a0"
    assert stories[-1] == "a1099"


def test_a_clock_that_jumps_back_does_not_bring_old_articles_back() -> None:
    window = Window(72)
    place(window, "one", HARBOUR)
    place(
        window, "two", "Something else entirely, long enough to count as text.", hours=100, order=1
    )
    assert place(window, "three", HARBOUR, hours=1, order=2).copy_of == ""


def test_stories_that_turn_out_to_be_one_are_merged_into_the_older() -> None:
    window = Window(72)
    merges = []
    for order, text in enumerate(converging(4)):
        at = place(window, "abcdefghijkl"[order], text, order=order)
        merges += [(one, at.story_id) for one in at.merged]
    assert merges == [("b", "a")]
    assert window.extent("b") is None
    assert window.extent("a") is not None


def stream(seed: int, count: int) -> list[tuple[str, str, datetime]]:
    rng = random.Random(seed)
    events = [topic_words(rng) for _ in range(6)]
    made: list[tuple[str, str, datetime]] = []
    seen = START
    for number in range(count):
        seen += timedelta(minutes=rng.randrange(0, 400))
        if made and rng.random() < 0.3:
            text = rng.choice(made)[1]
        else:
            two = rng.choice(events)[:7] + rng.choice(events)[7:]
            text = text_about(two, rng, length=40)
        made.append((f"a{number}", text, seen))
    return made


def claimed(seen: datetime, order: int) -> datetime:
    """Every seventh article comes years late."""
    return seen - timedelta(days=900 if order % 7 == 0 else 0)


def test_a_crowded_window_finds_the_story_of_an_article_by_its_rare_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(centroids, "_HOLDERS_READ", 30)
    rng = random.Random(3)
    common = [name(rng), name(rng)]
    events = [[name(rng) for _ in range(24)] for _ in range(200)]
    window = Window(72)
    for order, event in enumerate(events):
        place(window, f"a{order}", " ".join([rng.choice(common), *event]), order=order)
    for order in (0, 77, 199):
        text = " ".join(events[order][:9] + common)
        assert place(window, f"b{order}", text, order=200 + order).story_id == f"a{order}"


@pytest.mark.parametrize("seed", range(2))
def test_a_crowded_window_that_is_rebuilt_goes_on_the_same(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(centroids, "_HOLDERS_READ", 5)
    monkeypatch.setattr(centroids, "_CANDIDATES", 2)
    monkeypatch.setattr(centroids, "NEAREST", 2)
    test_a_window_rebuilt_anywhere_goes_on_as_if_it_had_never_stopped(seed)


@pytest.mark.parametrize("seed", range(6))
def test_a_window_rebuilt_anywhere_goes_on_as_if_it_had_never_stopped(seed: int) -> None:
    articles = stream(seed, 90)
    whole = Window(48)
    expected = [
        whole.place(
            article,
            signature("", text),
            seen=seen,
            published=claimed(seen, order),
            order=order,
            source=article,
        )
        for order, (article, text, seen) in enumerate(articles)
    ]
    survivors = {old: at.story_id for at in expected for old in at.merged}
    for stop in random.Random(seed).sample(range(1, 90), 12):
        rebuilt = Window(48)
        for order, (article, text, seen) in enumerate(articles[:stop]):
            at = expected[order]
            story_id = at.story_id
            while story_id in {m for one in expected[:stop] for m in one.merged}:
                story_id = survivors[story_id]
            if seen <= articles[stop][2] - timedelta(hours=48):
                continue
            rebuilt.restore(
                Placed(
                    article_id=article,
                    order=order,
                    seen=seen,
                    published=claimed(seen, order),
                    language="",
                    signature=signature("", text),
                    placement=Placement(
                        story_id=story_id,
                        copy_of=at.copy_of,
                        story_began=at.story_began,
                        story_size=at.story_size,
                        story_sources=at.story_sources,
                    ),
                )
            )
        for order, (article, text, seen) in enumerate(articles[stop:], start=stop):
            at = rebuilt.place(
                article,
                signature("", text),
                seen=seen,
                published=claimed(seen, order),
                order=order,
                source=article,
            )
            assert at == expected[order], (seed, stop, order)

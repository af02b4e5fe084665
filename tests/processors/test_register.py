"""The ordered decision, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.article import Sighting
from ingest.wire import encode
from processors.links import Links
from processors.records import Decision, StoryLink, StoryRecord, Tagged, TopicTag
from processors.register import Outcome, Register
from processors.revising import MAX_REVISIONS
from processors.signatures import signature
from processors.stories import Window
from tests.made_up_news import START, sighting

TEXT = "Dock workers in the port of Velmara walked out at dawn after pay talks broke down."
EDITED = "Dock workers in the port of Velmara went back to work at noon after a pay deal."
CEASEFIRE = TopicTag(topic="ceasefire-talks", version=3, score=0.9, band="tag")


def tagged(seen: Sighting, topics: tuple[TopicTag, ...] = ()) -> Tagged:
    return Tagged(
        article=seen.article,
        fetched=seen.fetched,
        cause=seen.cause,
        poll=seen.poll,
        topics=topics,
        signature=signature(seen.article.title, seen.article.text),
    )


@dataclass
class Desk:
    """A register with the tables it reads, written after every decision."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    stories: dict[str, StoryRecord] = field(default_factory=dict)
    links: list[StoryLink] = field(default_factory=list)
    order: int = 0

    def __post_init__(self) -> None:
        self.register = Register(
            decisions=self.decisions.get, stories=self.stories.get, window=Window(72)
        )

    def take(self, seen: Sighting, *topics: TopicTag, minutes: float | None = None) -> Outcome:
        self.order += 1
        after = self.order if minutes is None else minutes
        outcome = self.register.decide(
            tagged(seen, topics), order=self.order, appended=START + timedelta(minutes=after)
        )
        if outcome.decision:
            self.decisions[seen.article.id] = outcome.decision
        if outcome.story:
            self.stories[seen.article.id] = outcome.story
        self.links += outcome.links
        return outcome


@pytest.fixture
def desk() -> Desk:
    return Desk()


def story_of(outcome: Outcome) -> StoryRecord:
    assert outcome.story is not None
    return outcome.story


def test_a_new_id_is_an_article_seen_when_its_record_was_appended(desk: Desk) -> None:
    outcome = desk.take(sighting("a", TEXT), CEASEFIRE, minutes=5)
    story = story_of(outcome)
    assert outcome.verdict == "article"
    assert (story.change, story.article.revision, story.order) == ("new", 1, 1)
    assert story.article.seen == START + timedelta(minutes=5)
    assert story.topics == (CEASEFIRE,)
    assert outcome.decision is not None
    assert outcome.decision.placed == outcome.decision.order == 1


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        (None, False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (START + timedelta(days=3), False),
        (START - timedelta(days=400), True),
        (START + timedelta(hours=23), True),
    ],
)
def test_an_unusable_date_becomes_the_time_seen(
    desk: Desk, claimed: datetime | None, *, kept: bool
) -> None:
    story = story_of(desk.take(sighting("a", TEXT, published=claimed)))
    assert story.article.published == (claimed if kept else story.article.seen)


def test_another_text_of_the_first_feed_is_a_revision_that_keeps_the_earlier(desk: Desk) -> None:
    first = story_of(desk.take(sighting("a", TEXT)))
    outcome = desk.take(sighting("a", EDITED, minutes=9), CEASEFIRE)
    story = story_of(outcome)
    assert (outcome.verdict, story.change, story.article.revision) == ("revision", "revision", 2)
    assert story.article.text == EDITED
    assert story.article.seen == first.article.seen
    assert [(r.number, r.text, r.seen) for r in story.revisions] == [(1, TEXT, first.article.seen)]
    assert story.topics == (CEASEFIRE,)
    assert story.story_id == first.story_id


def test_an_edit_taken_back_is_a_revision_again(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    desk.take(sighting("a", EDITED, minutes=1))
    story = story_of(desk.take(sighting("a", TEXT, minutes=2)))
    assert (story.article.revision, story.article.text) == (3, TEXT)
    assert [r.text for r in story.revisions] == [TEXT, EDITED]


def test_records_delivered_twice_make_no_revisions(desk: Desk) -> None:
    first, second = sighting("a", TEXT), sighting("a", EDITED, minutes=1)
    desk.take(first)
    desk.take(second)
    assert desk.take(first).verdict == "duplicate"
    assert desk.take(second).verdict == "duplicate"
    assert desk.stories["a"].article.revision == 2


def test_an_unchanged_sighting_delivered_after_an_edit_does_not_take_it_back(desk: Desk) -> None:
    unchanged = sighting("a", TEXT, minutes=1)
    desk.take(sighting("a", TEXT))
    desk.take(unchanged)
    desk.take(sighting("a", EDITED, minutes=2))
    assert desk.take(unchanged).verdict == "duplicate"
    assert desk.stories["a"].article.text == EDITED


def test_two_texts_of_one_id_in_one_poll_are_two_revisions(desk: Desk) -> None:
    first, second = sighting("a", TEXT), sighting("a", EDITED)
    verdicts = [desk.take(seen).verdict for seen in (first, second, first, second)]
    assert verdicts == ["article", "revision", "duplicate", "duplicate"]


def test_edits_count_where_a_clock_jumps_back_or_poll_numbers_begin_anew(desk: Desk) -> None:
    first = replace(sighting("a", TEXT, minutes=10), poll=5)
    jumped = replace(sighting("a", EDITED, minutes=0), poll=6)
    anew = replace(sighting("a", TEXT, minutes=11), poll=1)
    assert [desk.take(s).verdict for s in (first, jumped, anew)] == [
        "article",
        "revision",
        "revision",
    ]


def test_an_offset_that_comes_again_is_a_duplicate(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    desk.order = 0
    assert desk.take(sighting("a", TEXT)) == Outcome(verdict="duplicate")


def test_a_second_feed_is_added_and_never_replaces_the_text(desk: Desk) -> None:
    desk.take(sighting("a", TEXT, groups=("World",)))
    other = sighting("a", EDITED, feed="feed-b", groups=("Trade", "World"))
    outcome = desk.take(other)
    story = story_of(outcome)
    assert (outcome.verdict, story.change, story.order) == ("duplicate", "feed", 2)
    assert story.article.feeds == ("feed-a", "feed-b")
    assert story.article.groups == ("World", "Trade")
    assert (story.article.text, story.article.revision) == (TEXT, 1)
    assert desk.take(other) == Outcome(verdict="duplicate")


def test_an_edit_in_the_second_feed_changes_nothing(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    desk.take(sighting("a", TEXT, feed="feed-b"))
    assert desk.take(sighting("a", EDITED, feed="feed-b", minutes=4)).story is None


def test_a_replay_with_other_topics_tags_anew_without_a_revision(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    story = story_of(desk.take(sighting("a", TEXT, cause="replay"), CEASEFIRE))
    assert (story.change, story.cause, story.article.revision) == ("retag", "replay", 1)
    assert story.topics == (CEASEFIRE,)
    assert desk.take(sighting("a", TEXT, cause="replay"), CEASEFIRE).story is None


def test_a_replay_of_an_earlier_text_does_not_tag_the_later_one(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    desk.take(sighting("a", EDITED, minutes=1))
    assert desk.take(sighting("a", TEXT, cause="replay"), CEASEFIRE).story is None


def test_full_text_that_comes_later_is_no_revision(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    story = story_of(desk.take(sighting("a", f"{TEXT} {EDITED}", cause="fulltext", minutes=1)))
    assert (story.change, story.cause, story.article.revision) == ("revision", "fulltext", 1)
    assert desk.take(sighting("a", TEXT)).verdict == "duplicate"


def test_what_was_erased_does_not_come_back(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    del desk.stories["a"]
    assert desk.take(sighting("a", EDITED, minutes=3)) == Outcome(verdict="duplicate")


def test_a_copy_names_the_first_article_and_counts_the_story(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    story = story_of(desk.take(sighting("b", TEXT, feed="feed-b")))
    assert (story.copy_of, story.story_id, story.size) == ("a", "a", 2)
    assert story.sources == ("feed-a.example", "feed-b.example")
    later = story_of(desk.take(sighting("a", EDITED, minutes=3)))
    assert (later.size, later.copy_of) == (2, "")


def test_an_article_stays_in_its_story_when_its_text_moves_on(desk: Desk) -> None:
    desk.take(sighting("a", TEXT))
    desk.take(sighting("b", TEXT))
    other = "Snow closed the pass above Ostrel for a third day as ploughs broke down in the wind."
    assert story_of(desk.take(sighting("b", other, minutes=3))).story_id == "a"


def test_a_record_never_outgrows_the_log(desk: Desk) -> None:
    long = "Velmara harbour " * 12_000
    for number in range(6):
        desk.take(sighting("a", f"{number} {long}", minutes=number))
    story = desk.stories["a"]
    assert len(encode(story)) < 900_000
    assert [bool(revision.text) for revision in story.revisions] == [False, False, True, True, True]
    assert story.article.text.startswith("5 ")


def test_a_page_that_changes_at_every_poll_keeps_a_bounded_history(desk: Desk) -> None:
    for number in range(MAX_REVISIONS + 5):
        desk.take(sighting("a", f"{TEXT} {number}", minutes=number))
    story = desk.stories["a"]
    assert story.article.revision == MAX_REVISIONS + 5
    assert [r.number for r in story.revisions] == list(range(5, MAX_REVISIONS + 5))


def test_a_merge_writes_links_and_later_records_name_what_was_absorbed() -> None:
    links = Links()
    for absorbed, survivor in (("c", "b"), ("b", "a"), ("d", "a")):
        links.add(StoryLink(story_id=absorbed, survivor=survivor, order=1))
    links.add(StoryLink(story_id="d", survivor="z", order=2))
    assert [links.resolve(one) for one in "abcdz"] == ["a", "a", "a", "a", "z"]
    assert set(links.absorbed("a")) == {"b", "c", "d"}
    register = Register(
        decisions=lambda _: None,
        stories={"x": replace(story_of(Desk().take(sighting("x", TEXT))), story_id="c")}.get,
        window=Window(72),
        links=links,
    )
    outcome = register.decide(tagged(sighting("x", EDITED, minutes=1)), order=9, appended=START)
    story = story_of(outcome)
    assert (story.story_id, set(story.absorbed)) == ("a", {"b", "c", "d"})
    assert outcome.decision is None


def test_a_story_written_without_its_commit_is_counted_again_and_not_written_again() -> None:
    desk = Desk()
    desk.take(sighting("a", TEXT))
    again = Desk(decisions=desk.decisions, stories=desk.stories)
    assert again.take(sighting("a", TEXT)) == Outcome(verdict="duplicate")
    assert story_of(again.take(sighting("b", TEXT))).copy_of == "a"

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.article import Article, Sighting
from ingest.assembly import KEPT_DAYS, MOST_CHANGES, Assembly, assemble, expired
from ingest.feeds import EntryState, FeedState
from ingest.reading import Reading, read_feed
from ingest.resemblance import same_article
from tests.newsserver import item, rss

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SITE = "https://harbour.example/"


class Memory:
    """One feed's entries and state, poll after poll, as the poller keeps them."""

    def __init__(self) -> None:
        self.entries: dict[str, EntryState] = {}
        self.state = FeedState(feed_id="feed")
        self.ids: set[str] = set()

    def poll(self, *items: str, finish: bool = True, at: datetime = NOW) -> Assembly:
        reading = Reading(url=f"{SITE}rss", feed_id="feed", fetched=at)
        return self.take(read_feed(rss(*items).encode(), reading).articles, finish=finish, at=at)

    def take(
        self, articles: Sequence[Article], *, finish: bool = True, at: datetime = NOW
    ) -> Assembly:
        found = assemble(articles, self.known, state=self.state, fetched=at)
        self.entries |= found.entries
        self.ids |= {sighting.article.id for sighting in found.sightings}
        if finish:
            self.state = dataclasses.replace(self.state, poll=self.state.poll + 1)
        return found

    def known(self, keys: Collection[str]) -> dict[str, EntryState]:
        return {key: self.entries[key] for key in keys if key in self.entries}

    def grow_older(self, days: int) -> None:
        self.state = dataclasses.replace(self.state, day=self.state.day + days)


def ferry(*, title: str = "Ferry runs again", guid: str = "1", link: str = "1", **more: str) -> str:
    return item(guid, title, link=f"{SITE}{link}", **more)


def only(found: Assembly) -> Sighting:
    (sighting,) = found.sightings
    return sighting


def test_what_did_not_change_is_not_sent_again() -> None:
    memory = Memory()
    assert len(memory.poll(ferry(), ferry(guid="2", link="2", title="Other")).sightings) == 2
    again = memory.poll(ferry(), ferry(guid="2", link="2", title="Other"))
    assert (again.sightings, again.entries, again.unchanged) == ((), {}, 2)


def test_an_edited_text_keeps_its_id() -> None:
    memory = Memory()
    first = only(memory.poll(ferry()))
    second = only(memory.poll(ferry(title="Ferry runs again after storm")))
    assert second.article.id == first.article.id
    assert (first.poll, second.poll) == (1, 2)
    assert memory.poll(ferry(title="Ferry runs again after storm")).unchanged == 1


def test_a_text_that_returns_to_its_first_form_is_sent_again() -> None:
    memory = Memory()
    for title in ("Ferry runs again", "Ferry stops again", "Ferry runs again"):
        assert len(memory.poll(ferry(title=title)).sightings) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ferry(link="old-slug"), ferry(link="new-slug")),
        (ferry(link="1?utm_source=rss"), ferry(link="1?utm_source=mail")),
        (ferry(guid="a"), ferry(guid="b")),
        (
            ferry(link="ports/126428929/ferry-late", title="Ferry late"),
            ferry(link="ports/126428929/harbour-shut", title="Storm shuts harbour"),
        ),
        (
            ferry(link="ferry-late", title="Ferry to the island late again"),
            ferry(link="ferry-cancelled", title="Ferry to the island cancelled"),
        ),
        (
            ferry(link="a", title="Ferry", text="All crossings of the day were cancelled."),
            ferry(link="b", title="Storm", text="All crossings of the day were cancelled."),
        ),
        (
            ferry(link="a", title="Ferry", published="Mon, 02 Mar 2026 10:17:00 GMT"),
            ferry(link="b", title="Storm", published="Mon, 02 Mar 2026 10:17:00 GMT"),
        ),
    ],
)
def test_slug_guid_and_tracking_may_change_while_the_id_stays(first: str, second: str) -> None:
    memory = Memory()
    memory.poll(first)
    memory.poll(second)
    assert len(memory.ids) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ferry(link="a", title="Ferry late"), ferry(link="b", title="Council votes on budget")),
        (
            ferry(link="20260301/ferry-late", title="Ferry late"),
            ferry(link="20260301/budget", title="Council votes"),
        ),
        (
            ferry(link="a", title="Ferry late", published="Mon, 02 Mar 2026 00:00:00 GMT"),
            ferry(link="b", title="Council votes", published="Mon, 02 Mar 2026 00:00:00 GMT"),
        ),
    ],
)
def test_a_guid_that_only_numbers_the_places_joins_no_articles(first: str, second: str) -> None:
    memory = Memory()
    memory.poll(first)
    memory.poll(second)
    assert len(memory.ids) == 2


def test_a_guid_without_link_that_rotates_is_known_by_its_content() -> None:
    memory = Memory()
    dated = {"text": "At noon.", "published": "Mon, 02 Mar 2026 10:17:00 GMT"}
    for poll in range(50):
        memory.poll(item(f"poll-{poll}", "Ferry runs again", **dated))
    assert len(memory.ids) == 1


def test_an_unknown_session_parameter_makes_no_revision() -> None:
    memory = Memory()
    counts = [
        len(memory.poll(ferry(guid=f"g{poll}", link=f"story?visit={poll}")).sightings)
        for poll in range(10)
    ]
    assert counts == [1] + [0] * 9


def test_two_texts_of_one_article_in_one_document_are_two_versions_once() -> None:
    memory = Memory()
    both = (ferry(title="Second text"), ferry(title="First text"))
    found = memory.poll(*both)
    assert [sighting.article.title for sighting in found.sightings] == ["First text", "Second text"]
    assert len(memory.ids) == 1
    assert memory.poll(*both).unchanged == 2
    assert memory.poll(both[0]).unchanged == 1


def test_the_oldest_is_sent_first() -> None:
    items = [
        item(str(hour), f"At {hour}", link=f"{SITE}{hour}", published=NOW - timedelta(hours=hour))
        for hour in (1, 9, 5)
    ]
    found = Memory().poll(*items)
    assert [sighting.article.title for sighting in found.sightings] == ["At 9", "At 5", "At 1"]


def test_without_dates_the_end_of_the_document_is_sent_first() -> None:
    found = Memory().poll(*(ferry(guid=name, link=name, title=name) for name in "abc"))
    assert [sighting.article.title for sighting in found.sightings] == ["c", "b", "a"]


def test_old_and_undated_entries_of_the_first_poll_are_marked() -> None:
    memory = Memory()
    dates = {"old": NOW - timedelta(hours=25), "new": NOW - timedelta(hours=23), "undated": None}
    items = [item(name, name, link=SITE + name, published=date) for name, date in dates.items()]
    causes = {s.article.title: s.cause for s in memory.poll(*items).sightings}
    assert causes == {"old": "first-poll", "new": "live", "undated": "first-poll"}
    later = memory.poll(item("late", "late", link=f"{SITE}late", published=dates["old"]))
    assert only(later).cause == "live"


def test_a_poll_that_never_finished_is_repeated() -> None:
    memory = Memory()
    lost = only(memory.poll(ferry(), finish=False))
    again = only(memory.poll(ferry()))
    assert again.article.id == lost.article.id
    assert (again.poll, again.cause) == (1, "first-poll")
    assert memory.poll(ferry()).unchanged == 1


def test_an_entry_that_an_unfinished_poll_left_behind_is_forgotten() -> None:
    memory = Memory()
    memory.poll(ferry())
    memory.poll(ferry(guid="2", link="2", title="Lost"), finish=False)
    found = memory.poll(ferry())
    gone = expired(memory.entries.items(), state=memory.state, present=found.entries)
    for key in gone:
        del memory.entries[key]
    assert len(memory.poll(ferry(guid="2", link="2", title="Lost")).sightings) == 1
    assert memory.poll(ferry()).unchanged == 1


def test_an_entry_is_forgotten_sixty_days_after_it_left() -> None:
    memory = Memory()
    memory.poll(ferry(), ferry(guid="2", link="2", title="Leaves"))
    forgotten = 0
    for day in range(1, 80):
        memory.grow_older(1)
        found = memory.poll(ferry())
        gone = expired(memory.entries.items(), state=memory.state, present=found.entries)
        for key in gone:
            del memory.entries[key]
        if gone and not forgotten:
            forgotten = day
    assert KEPT_DAYS <= forgotten <= KEPT_DAYS + 8
    assert memory.poll(ferry()).unchanged == 1


def test_entries_that_stay_are_written_once_a_week() -> None:
    memory = Memory()
    memory.poll(ferry())
    writes = 0
    for _ in range(70):
        memory.grow_older(1)
        writes += bool(memory.poll(ferry()).entries)
    assert writes == 10


def test_an_entry_that_changes_at_every_poll_is_tamed() -> None:
    memory = Memory()
    sent = limited = 0
    for poll in range(100):
        found = memory.poll(ferry(text=f"Updated {poll} seconds ago"))
        sent += len(found.sightings)
        limited += found.limited
    assert sent == MOST_CHANGES + 1
    assert sent + limited == 100
    memory.grow_older(1)
    assert len(memory.poll(ferry(text="The real end")).sightings) == 1
    assert memory.poll(ferry(text="Once more")).limited == 1


def test_one_guid_for_different_links_and_titles_gives_two_articles() -> None:
    memory = Memory()
    memory.poll(
        ferry(guid="x", link="a", title="Ferry"), ferry(guid="x", link="b", title="Council")
    )
    assert len(memory.ids) == 2
    again = memory.poll(
        ferry(guid="x", link="a", title="Ferry"), ferry(guid="x", link="b", title="Council")
    )
    assert again.unchanged == 2


letters = st.sampled_from("abcd")
entries = st.lists(
    st.builds(
        lambda guid, title, link: item(guid, f"Title {title}", link=SITE + link),
        st.none() | letters, letters, letters,
    ),
    max_size=6,
)  # fmt: skip


@given(st.lists(entries, min_size=1, max_size=4))
def test_a_repeated_document_never_brings_news(documents: list[list[str]]) -> None:
    memory = Memory()
    for document in documents:
        memory.poll(*document)
        again = memory.poll(*document)
        assert again.sightings == ()
        assert again.unchanged == len(document)


@given(entries, st.randoms(use_true_random=False))
def test_the_order_of_a_document_means_nothing(document: list[str], chance: random.Random) -> None:
    memory = Memory()
    memory.poll(*document)
    ids = set(memory.ids)
    chance.shuffle(document)
    memory.poll(*document)
    assert memory.ids == ids


def test_entries_joined_through_others_keep_one_id_in_any_order() -> None:
    document = [
        ferry(guid="d", title="Quay", link="a"),
        ferry(guid="d", title="Quay", link="b"),
        ferry(guid="a", title="Quay", link="b"),
        ferry(guid="d", title="Pier", link="a"),
    ]
    memory = Memory()
    memory.poll(*document)
    assert len(memory.ids) == 2
    for order in itertools.permutations(document):
        memory.poll(*order)
    assert len(memory.ids) == 2


def test_headlines_without_letters_are_not_alike() -> None:
    before = EntryState(article_id="1", title="!!!", url="https://a.example/x")
    edited = Article(id="2", feed_id="f", title="?!", canonical_url="https://a.example/y")
    assert not same_article(before, edited)


def test_headlines_in_any_script_are_compared() -> None:
    before = EntryState(
        article_id="1", title="停戦交渉がジュネーブで再開される", url="https://a.example/x"
    )
    edited = Article(
        id="2", feed_id="f", title="停戦交渉がジュネーブで中断", canonical_url="https://a.example/y"
    )
    other = Article(
        id="2", feed_id="f", title="株価は午後に値下がり", canonical_url="https://a.example/y"
    )
    assert same_article(before, edited)
    assert not same_article(before, other)


def test_real_polls_in_a_row_give_revisions_of_known_articles(shared_data: Path) -> None:
    """Counted by hand in the snapshots: every edit there is an edit, none a new article."""
    folder = shared_data / "feeds" / "gesab001_headlines" / "series"
    found = {path.name: _replay(sorted(path.iterdir())) for path in sorted(folder.iterdir())}
    assert found["stuffnz"] == (37, 4)
    assert found["bbc"] == (52, 2)
    assert found["nzherald"] == (26, 0)
    assert found["rnz"] == (28, 2)
    assert sum(revisions for _, revisions in found.values()) < 15


def _replay(files: Sequence[Path]) -> tuple[int, int]:
    """(articles, revisions) of one outlet's snapshots, polled in their order."""
    memory = Memory()
    sent = 0
    for file in files:
        at = datetime.strptime(file.name[:14], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
        reading = Reading(url="https://outlet.example/rss", feed_id="feed", fetched=at)
        sent += len(memory.take(read_feed(file.read_bytes(), reading).articles, at=at).sightings)
    return len(memory.ids), sent - len(memory.ids)

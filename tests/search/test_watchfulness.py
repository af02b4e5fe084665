"""Watchfulness: silences and bursts against their own rhythm, each told once, in good order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import QueryError
from ingest.feed_store import FeedStore
from ingest.feeds import Feed, FeedState
from ingest.log import NewRecord, topic_specs
from ingest.wire import encode
from processors.records import StoryRecord
from search.alert_state import ALERT, TOPIC, Alert
from search.index import Checkpoint
from search.tantivy_index import TantivyIndex
from search.watch_queries import is_watch, parse_watch
from search.watchfulness import Watchfulness
from tests.alerting import MANY, Clock, Everything, Newsdesk
from tests.story_records import story

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WORKING_HOURS = range(9, 17)
URL = "https://www.example.org/feed.xml"


@dataclass(kw_only=True)
class Desk:
    """Feeds, an index and who watches them, with a clock that a test moves."""

    news: Newsdesk
    index: TantivyIndex
    clock: Clock
    feed: Feed

    def __post_init__(self) -> None:
        self._numbers = count()
        self.watch = self.new_watch()

    def new_watch(self) -> Watchfulness:
        return Watchfulness(
            self.news.log,
            feeds=FeedStore(self.news.log),
            index=lambda: self.index,
            settings=self.news.settings,
            shards=Everything(self.news.log.partitions(TOPIC)),
            wake=self.news.woken,
            clock=self.clock,
        )

    def bring(self, *moments: datetime, topic: str = "", copies: int = 1) -> None:
        """Articles of the feed, seen then."""
        self._write([self._article(one, topic) for one in moments for _ in range(copies)])

    def _article(self, seen: datetime, topic: str) -> StoryRecord:
        number = next(self._numbers)
        topics = (topic,) if topic else ()
        feed = self.feed.id
        return story(
            f"a{number}",
            "news",
            seen=seen,
            order=number,
            topics=topics,
            feed_id=feed,
            feeds=(feed,),
        )

    def _write(self, records: list[StoryRecord]) -> None:
        self.index.write(records, checkpoint=Checkpoint(log="test", stories={0: 0}))
        self.index.refresh()

    def polled(self, *, last_new: datetime, gap: timedelta = HOUR, **more: Any) -> None:
        """The feed answers now, and brought its last article then."""
        given = {"last_ok": self.clock.now, "poll": 9, **more}
        state = FeedState(
            feed_id=self.feed.id,
            last_new=last_new,
            usual_gap_seconds=gap.total_seconds(),
            **given,
        )
        value = encode(state)
        self.news.log.append([NewRecord(topic="feed-state", key=self.feed.id, value=value)])

    def alerts(self) -> list[Alert]:
        return sorted(self.news.alerts(), key=lambda one: one.created)


@pytest.fixture(params=["one partition", "many"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    specs = MANY if request.param == "many" else topic_specs()
    clock = Clock(MONDAY)
    news = Newsdesk(folder=tmp_path, clock=clock, specs=specs)
    feed = FeedStore(news.log).add(URL, title="The wire")
    index = TantivyIndex(tmp_path / "index")
    found = Desk(news=news, index=index, clock=clock, feed=feed)
    yield found
    index.close()
    news.close()


def hours(begin: datetime, end: datetime, *, office: bool = False) -> Iterator[datetime]:
    """Every hour, or every working hour of a working day."""
    while begin < end:
        if not office or (begin.weekday() < 5 and begin.hour in WORKING_HOURS):
            yield begin
        begin += HOUR


def test_a_feed_that_never_rests_is_missed_within_hours_and_told_once(desk: Desk) -> None:
    last = MONDAY - 12 * HOUR
    desk.bring(*hours(MONDAY - 30 * DAY, last))
    desk.news.subscribe("ops", "watch:silence")
    desk.polled(last_new=last)
    assert desk.watch.step() == 1
    for _ in range(3):
        desk.clock.advance(hours=1)
        desk.polled(last_new=last)
        assert desk.watch.step() == 0
        assert desk.new_watch().step() == 0  # after a restart
    (alert,) = desk.alerts()
    assert alert.type == "feed.silent"
    assert alert.title.startswith("The wire has brought nothing new for 12 hours; usually")
    body = json.loads(alert.payload)
    assert body["type"] == "feed.silent"
    assert body["data"]["watch"]["usual_gap_seconds"] == 3600
    assert body["data"]["article"]["title"] == alert.title


def test_a_feed_that_is_back_and_silent_again_is_told_again(desk: Desk) -> None:
    last = MONDAY - 12 * HOUR
    desk.bring(*hours(MONDAY - 30 * DAY, last))
    desk.news.subscribe("ops", "watch:silence")
    desk.polled(last_new=last)
    assert desk.watch.step() == 1
    desk.polled(last_new=MONDAY)
    desk.clock.advance(hours=1)
    assert desk.watch.step() == 0
    desk.clock.advance(hours=11)
    desk.polled(last_new=MONDAY)
    assert desk.watch.step() == 1


def test_nights_and_weekends_of_a_feed_of_working_hours_are_no_silence(desk: Desk) -> None:
    friday = MONDAY - 3 * DAY
    last = friday.replace(hour=16)
    desk.bring(*hours(MONDAY - 30 * DAY, last + HOUR, office=True))
    desk.news.subscribe("ops", "watch:silence")
    desk.clock.now = last
    while desk.clock.now < MONDAY.replace(hour=9):
        desk.clock.advance(hours=1)
        desk.polled(last_new=last)
        assert desk.watch.step() == 0, desk.clock.now
    desk.clock.now = MONDAY.replace(hour=13)  # the working day began without it
    desk.polled(last_new=last)
    assert desk.watch.step() == 1


def test_without_weeks_to_compare_with_only_days_are_a_silence(desk: Desk) -> None:
    last = MONDAY - 30 * HOUR
    desk.bring(*hours(MONDAY - 5 * DAY, last))
    desk.news.subscribe("ops", "watch:silence")
    desk.polled(last_new=last)
    assert desk.watch.step() == 0
    desk.clock.advance(hours=20)
    desk.polled(last_new=last)
    assert desk.watch.step() == 1


def test_what_nobody_polled_or_what_fails_is_no_silence(desk: Desk) -> None:
    last = MONDAY - 12 * HOUR
    desk.bring(*hours(MONDAY - 30 * DAY, last))
    desk.news.subscribe("ops", "watch:silence")
    desk.polled(last_new=last, last_ok=last + HOUR)  # Wirewatch was off since then
    assert desk.watch.step() == 0
    desk.polled(last_new=last, state="failing", sentence="The host is unknown.")
    assert desk.watch.step() == 0


def daily(desk: Desk, topic: str, per_hour: int) -> None:
    """A topic's usual volume in the hour before noon, over 15 days."""
    noons = [MONDAY - number * DAY - HOUR / 2 for number in range(1, 16)]
    desk.bring(*noons, topic=topic, copies=per_hour)


def put_topics(desk: Desk, *names: str) -> None:
    records = [NewRecord(topic="topics", key=f"{one}.en", value=b"{}") for one in names]
    desk.news.log.append(records)


def test_a_burst_is_told_once_and_again_only_after_it_was_over(desk: Desk) -> None:
    put_topics(desk, "truce")
    daily(desk, "truce", 2)
    daily(desk, "", 20)
    desk.news.subscribe("ops", "watch:bursts")
    assert desk.watch.step() == 0
    desk.bring(MONDAY - timedelta(minutes=5), topic="truce", copies=30)
    assert desk.watch.step() == 1
    for _ in range(3):
        desk.clock.advance(minutes=1)
        assert desk.watch.step() == 0
        assert desk.new_watch().step() == 0
    (alert,) = desk.alerts()
    assert alert.type == "topic.burst"
    assert alert.title.startswith("truce: 30 articles in the last hour; about 2 are usual")
    desk.clock.advance(hours=2)
    assert desk.watch.step() == 0
    assert not [*desk.news.log.table(TOPIC).items("episode:")]
    desk.bring(desk.clock.now - timedelta(minutes=5), topic="truce", copies=30)
    assert desk.watch.step() == 1
    assert len(desk.alerts()) == 2


def test_a_crash_between_the_episode_and_its_alert_tells_it_once(desk: Desk) -> None:
    put_topics(desk, "truce")
    daily(desk, "truce", 2)
    daily(desk, "", 20)
    desk.news.subscribe("ops", "watch:bursts")
    desk.bring(MONDAY - timedelta(minutes=5), topic="truce", copies=30)
    assert desk.watch.step() == 1
    (alert,) = desk.alerts()
    (record,) = desk.news.log.table(TOPIC).items(ALERT)
    gone = NewRecord(topic=TOPIC, key=record.key, value=None, partition=record.partition.number)
    desk.news.log.append([gone])
    desk.clock.advance(minutes=1)
    assert desk.new_watch().step() == 1
    assert [one.alert_id for one in desk.alerts()] == [alert.alert_id]


def test_a_busy_hour_of_every_day_is_no_burst(desk: Desk) -> None:
    put_topics(desk, "truce")
    daily(desk, "", 20)
    noons = [MONDAY - number * DAY - timedelta(minutes=30) for number in range(15)]
    desk.bring(*noons, topic="truce", copies=30)
    desk.news.subscribe("ops", "watch:bursts")
    assert desk.watch.step() == 0


def test_a_backlog_after_an_outage_is_no_burst(desk: Desk) -> None:
    put_topics(desk, "truce")
    daily(desk, "truce", 2)
    daily(desk, "", 20)
    desk.news.subscribe("ops", "watch:bursts")
    desk.bring(MONDAY - timedelta(minutes=5), topic="truce", copies=30)
    desk.bring(MONDAY - timedelta(minutes=5), copies=300)
    assert desk.watch.step() == 0


def test_a_week_is_watched_before_a_burst_is_told(desk: Desk) -> None:
    put_topics(desk, "truce")
    desk.bring(*hours(MONDAY - 5 * DAY, MONDAY - HOUR), copies=2)
    desk.news.subscribe("ops", "watch:bursts")
    desk.bring(MONDAY - timedelta(minutes=5), topic="truce", copies=30)
    assert desk.watch.step() == 0


def test_filters_choose_feeds_and_topics(desk: Desk) -> None:
    last = MONDAY - 12 * HOUR
    desk.bring(*hours(MONDAY - 30 * DAY, last))
    desk.polled(last_new=last)
    desk.news.subscribe("mine", "watch:silence source:example.org")
    desk.news.subscribe("by feed", f"watch:silence feed:{desk.feed.id}")
    desk.news.subscribe("others", "watch:silence source:example.com")
    desk.news.subscribe("bursts", "watch:bursts")
    desk.news.subscribe("words", "truce")
    paused = desk.news.subscribe("paused", "watch:silence")
    desk.news.rename(paused, paused=True)
    assert desk.watch.step() == 2
    assert {one.subscription_name for one in desk.alerts()} == {"mine", "by feed"}


def test_quiet_hours_hold_what_is_unusual_too(desk: Desk) -> None:
    last = MONDAY - 12 * HOUR
    desk.bring(*hours(MONDAY - 30 * DAY, last))
    desk.polled(last_new=last)
    desk.news.subscribe("ops", "watch:silence", quiet="10:00-14:00@UTC")
    assert desk.watch.step() == 1
    (alert,) = desk.alerts()
    assert (alert.state, alert.held_for) == ("held", "quiet")
    assert alert.next_attempt == MONDAY.replace(hour=14)


async def test_what_is_unusual_is_delivered_as_any_alert(desk: Desk) -> None:
    last = MONDAY - 12 * HOUR
    desk.bring(*hours(MONDAY - 30 * DAY, last))
    desk.polled(last_new=last)
    desk.news.subscribe("ops", "watch:silence")
    desk.news.subscribe("words", "news")
    desk.watch.step()
    await desk.news.sender.once()
    assert [one.state for one in desk.alerts()] == ["sent"]
    assert "The wire has brought nothing new" in desk.news.stdout.getvalue()


def test_articles_never_match_who_watches(desk: Desk) -> None:
    desk.news.subscribe("ops", "watch:silence watch:bursts")
    desk.news.publish(story("one", "watch silence bursts"))
    desk.news.settle()
    assert desk.alerts() == []


@pytest.mark.parametrize(
    "query", ["watch:noise", "watch:silence truce", "watch:bursts lang:en", "watch:", "(watch:x)"]
)
def test_what_cannot_be_watched_is_said_at_once(desk: Desk, query: str) -> None:
    assert is_watch(query)
    with pytest.raises(QueryError) as caught:
        desk.news.subscribe("ops", query)
    assert "watch:silence" in caught.value.hint


def test_joined_filters_are_understood() -> None:
    found = parse_watch("(watch:silence OR watch:bursts) AND (source:example.org OR topic:truce)")
    assert found.kinds == {"silence", "bursts"}
    assert found.wants_feed("id", "news.example.org")
    assert not found.wants_feed("id", "badexample.org")
    assert found.wants_topic("truce")
    assert not found.wants_topic("peace")
    assert found.explanation() == [
        "tells when example.org is silent against its own rhythm",
        "tells when truce has far more news than is usual at that hour",
    ]

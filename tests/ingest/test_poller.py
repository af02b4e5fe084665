from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.entry_store import EntryStore
from ingest.errors import FencedError, UnavailableError
from ingest.feeds import EntryState, Feed, FeedState
from ingest.log import NewRecord, Partition
from ingest.poller import Poller
from ingest.reading import answer
from ingest.sandbox import SandboxPool
from ingest.settings import PollSettings
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from tests.newsroom import InlineReader, PollStage, TestClock, until
from tests.newsserver import NewsServer, item, rss

NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))
MORE = rss(
    item("2", "Harbour shut", link="https://harbour.example/2"),
    item("1", "Ferry runs again", link="https://harbour.example/1"),
)
OFTEN = PollSettings(min_seconds=0.05, default_seconds=0.05, max_seconds=0.1)


@pytest.fixture
async def site() -> AsyncIterator[NewsServer]:
    async with NewsServer() as server:
        server.answer("/rss", NEWS)
        yield server


@contextlib.asynccontextmanager
async def running(poller: Poller) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(poller.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


class CountingReader(InlineReader):
    def __init__(self) -> None:
        self.calls = 0

    async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
        self.calls += 1
        return await super().call(header, body)


class FragileReader(InlineReader):
    async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
        if b"Fragile" in body:
            raise ZeroDivisionError("a fault of our own")
        return await super().call(header, body)


async def test_a_poll_writes_entries_then_articles_then_state(
    site: NewsServer, tmp_path: Path
) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"), groups=["Ports"])
        totals = await stage.poller.poll_all_once()
        assert (totals.feeds, totals.failed, totals.sightings) == (1, 0, 1)
        (sighting,) = stage.sightings()
        assert sighting.article.title == "Ferry runs again"
        assert sighting.article.groups == ("Ports",)
        assert sighting.fetched == stage.clock()
        entries = list(stage.log.table("entries").items(f"{feed.id}:"))
        known = [decode(EntryState, record.value or b"") for record in entries]
        assert {entry.article_id for entry in known} == {sighting.article.id}
        state = stage.state(feed)
        assert (state.poll, state.title, state.state) == (1, "Harbour news", "ok")


async def test_the_next_poll_is_conditional_and_gives_validators_back_byte_for_byte(
    site: NewsServer, tmp_path: Path
) -> None:
    site.answer("/rss", NEWS, etag='W/"odd, \\ unquoted', headers={"Last-Modified": "yesterday"})
    async with PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        await stage.poller.poll_all_once()
        totals = await stage.poller.poll_all_once()
    first, second = site.requests["/rss"]
    assert "If-None-Match" not in first
    assert second["If-None-Match"] == 'W/"odd, \\ unquoted'
    assert second["If-Modified-Since"] == "yesterday"
    assert (totals.entries_seen, totals.failed) == (0, 0)


async def test_equal_bytes_are_read_once(site: NewsServer, tmp_path: Path) -> None:
    reader = CountingReader()
    async with PollStage(tmp_path, site.host, sandboxes=reader) as stage:
        stage.feeds.add(site.url("/rss"))
        await stage.poller.poll_all_once()
        totals = await stage.poller.poll_all_once()
        assert reader.calls == 1
        assert (totals.entries_seen, totals.unchanged, totals.sightings) == (1, 1, 0)
        site.answer("/rss", MORE)
        totals = await stage.poller.poll_all_once()
        assert (totals.entries_seen, totals.unchanged, totals.sightings) == (2, 1, 1)
        assert stage.titles() == ["Ferry runs again", "Harbour shut"]


async def test_a_restart_remembers_what_was_seen(site: NewsServer, tmp_path: Path) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        await stage.poller.poll_all_once()
    site.answer("/rss", MORE)
    async with PollStage(tmp_path, site.host) as stage:
        totals = await stage.poller.poll_all_once()
        assert (totals.unchanged, totals.sightings) == (1, 1)


async def test_feeds_are_read_in_the_sandbox(site: NewsServer, tmp_path: Path) -> None:
    pool = SandboxPool("ingest.reading:answer")
    try:
        async with PollStage(tmp_path, site.host, sandboxes=pool) as stage:
            stage.feeds.add(site.url("/rss"))
            assert (await stage.poller.poll_all_once()).sightings == 1
            assert stage.titles() == ["Ferry runs again"]
    finally:
        await pool.close()


async def test_a_fault_of_our_own_stops_one_feed_and_is_quarantined(
    site: NewsServer, tmp_path: Path
) -> None:
    site.answer("/bad", rss(item("1", "Fragile")))
    async with PollStage(tmp_path, site.host, sandboxes=FragileReader()) as stage:
        bad = stage.feeds.add(site.url("/bad"))
        stage.feeds.add(site.url("/rss"))
        totals = await stage.poller.poll_all_once()
        assert (totals.failed, totals.sightings) == (1, 1)
        assert stage.state(bad).state == "failing"
        (aside,) = stage.quarantine.items()
        assert (aside.stage, aside.key, aside.code) == ("poll", bad.id, "internal")
        assert "a fault of our own" in aside.why


async def test_feeds_come_and_go_while_polling(site: NewsServer, tmp_path: Path) -> None:
    site.answer("/late", NEWS)
    async with PollStage(tmp_path, site.host, settings=OFTEN) as stage, running(stage.poller):
        first = stage.feeds.add(site.url("/rss"))
        stage.poller.refresh()
        await until(lambda: site.count("/rss") > 2)
        stage.feeds.add(site.url("/late"))
        stage.feeds.remove(first.id)
        stage.poller.refresh()
        await until(lambda: site.count("/late") > 2)
        seen = site.count("/rss")
        await until(lambda: site.count("/late") > 6)
        assert site.count("/rss") <= seen + 1


async def test_a_feed_can_be_polled_at_once(site: NewsServer, tmp_path: Path) -> None:
    async with PollStage(tmp_path, site.host) as stage, running(stage.poller):
        feed = stage.feeds.add(site.url("/rss"))
        stage.poller.refresh()
        await until(lambda: stage.titles() == ["Ferry runs again"])
        site.answer("/rss", MORE)
        stage.poller.poll_now(feed.id)
        await until(lambda: len(stage.titles()) == 2)
        assert site.count("/rss") == 2


async def test_a_wish_to_poll_now_is_heard_during_a_poll(site: NewsServer, tmp_path: Path) -> None:
    site.answer("/rss", NEWS, seconds=0.2)
    async with PollStage(tmp_path, site.host) as stage, running(stage.poller):
        feed = stage.feeds.add(site.url("/rss"))
        stage.poller.refresh()
        await until(lambda: site.count("/rss") == 1)
        stage.poller.poll_now(feed.id)
        await until(lambda: site.count("/rss") == 2)
        assert stage.poller.finished == 1


async def test_a_schedule_alone_is_written_once_a_minute(site: NewsServer, tmp_path: Path) -> None:
    async with PollStage(tmp_path, site.host, settings=OFTEN) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        async with running(stage.poller):
            await until(lambda: site.count("/rss") > 10)
            assert len(_states(stage)) == 1
        assert len(_states(stage)) == 2, "a stop writes what was held back"
        assert stage.state(feed).counter > 10


def _states(stage: PollStage) -> list[FeedState]:
    records = stage.log.read(Partition("feed-state"), 0)
    return [decode(FeedState, record.value or b"") for record in records]


async def test_a_stop_lets_polls_finish(site: NewsServer, tmp_path: Path) -> None:
    site.answer("/rss", NEWS, seconds=0.3)
    async with PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        async with running(stage.poller):
            await until(lambda: site.count("/rss") == 1)
        assert stage.titles() == ["Ferry runs again"]


async def test_five_hundred_feeds_of_a_slow_host_delay_no_other(tmp_path: Path) -> None:
    settings = PollSettings(connections=4)
    async with NewsServer() as slow, NewsServer() as quick:
        for number in range(60):
            slow.answer(f"/{number}", NEWS, seconds=0.3)
        for number in range(10):
            quick.answer(f"/{number}", NEWS)
        async with PollStage(tmp_path, slow.host, quick.host, settings=settings) as stage:
            for number in range(60):
                stage.feeds.add(slow.url(f"/{number}"))
            for number in range(10):
                stage.feeds.add(quick.url(f"/{number}"))
            task = asyncio.create_task(stage.poller.poll_all_once())
            await until(lambda: quick.total() == 10, seconds=2.0)
            assert slow.total() < 10
            assert slow.busiest == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_shards_of_others_are_left_alone(site: NewsServer, tmp_path: Path) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        other = Poller(log=stage.log, polling=stage.polling, owns=lambda shard: shard != feed.shard)
        assert (await other.poll_all_once()).feeds == 0
        assert site.total() == 0


async def test_an_earlier_owners_state_that_came_late_is_written_over(
    site: NewsServer, tmp_path: Path
) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        poller = Poller(log=stage.log, polling=stage.polling, generation=lambda _: 7)
        await poller.poll_all_once()
        assert (stage.state(feed).generation, stage.state(feed).poll) == (7, 1)
        _write_state(stage, FeedState(feed_id=feed.id, generation=3, counter=900, etag="stale"))
        site.answer("/rss", MORE)
        await poller.poll_all_once()
        assert (stage.state(feed).generation, stage.state(feed).poll) == (7, 2)
        assert len(stage.titles()) == 2


async def test_f58_a_newer_owners_state_ends_ours_and_nothing_is_written(
    site: NewsServer, tmp_path: Path
) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        poller = Poller(log=stage.log, polling=stage.polling, generation=lambda _: 7)
        poller.refresh()
        _write_state(stage, FeedState(feed_id=feed.id, generation=8, poll=5))
        assert (await poller.poll_all_once()).sightings == 1
        assert stage.titles() == []
        assert (stage.state(feed).generation, stage.state(feed).poll) == (8, 5)
        assert poller.states() == []


async def test_f58_a_shard_lost_during_a_poll_is_left_alone(
    site: NewsServer, tmp_path: Path
) -> None:
    ranks = iter([7, -1])
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        poller = Poller(log=stage.log, polling=stage.polling, generation=lambda _: next(ranks))
        await poller.poll_all_once()
        assert stage.titles() == []
        assert stage.log.table("feed-state").get(feed.id) is None


async def test_a_log_made_anew_with_lower_generations_forgets_no_feed(
    site: NewsServer, tmp_path: Path
) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        _write_state(stage, FeedState(feed_id=feed.id, generation=500))
        poller = Poller(log=stage.log, polling=stage.polling, generation=lambda _: 1)
        await poller.poll_all_once()
        assert stage.titles() == ["Ferry runs again"]
        assert stage.state(feed).generation == 500


async def test_of_several_owners_one_writes_a_state_only_after_its_articles(
    site: NewsServer, tmp_path: Path
) -> None:
    """In Kafka one append to several topics has no order of its own."""
    async with PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        batches: list[set[str]] = []

        class Watched(SqliteLog):
            def submit(self, records: Sequence[NewRecord], **more: Any) -> Future[list[int]]:
                batches.append({record.topic for record in records})
                return super().submit(records, **more)

        stage.log.close()
        log = Watched(tmp_path / "log.db")
        polling = dataclasses.replace(stage.polling, entries=EntryStore(log))
        await Poller(log=log, polling=polling, generation=lambda _: 1).poll_all_once()
        log.close()
        assert batches == [{"entries"}, {"articles"}, {"feed-state"}]


def _write_state(stage: PollStage, state: FeedState) -> None:
    record = NewRecord(topic="feed-state", key=state.feed_id, value=encode(state), partition=0)
    stage.log.append([record])


async def test_feeds_that_went_to_another_owner_are_abandoned_in_mid_poll(
    site: NewsServer, tmp_path: Path
) -> None:
    site.answer("/slow", NEWS, seconds=0.3)
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/slow"))
        poller = Poller(log=stage.log, polling=stage.polling, generation=lambda _: 1)
        async with running(poller):
            await poller.take([feed])
            await until(lambda: site.count("/slow") == 1)
            poller.drop([feed.id])
            await poller.ended(feed.id)
            assert stage.titles() == []
            await poller.take([feed])
            await until(lambda: len(stage.titles()) == 1)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("point", ["K1", "K2"])
async def test_a_crash_between_fetch_and_write_loses_nothing(
    site: NewsServer, tmp_path: Path, point: str
) -> None:
    def kill(reached: str) -> None:
        if reached == point:
            raise Killed

    site.answer("/rss", NEWS, etag='"1"')
    async with PollStage(tmp_path, site.host, crash_point=kill) as stage:
        stage.feeds.add(site.url("/rss"))
        with pytest.raises(Killed):
            await stage.poller.poll_all_once()
        assert stage.titles() == []
    async with PollStage(tmp_path, site.host) as stage:
        assert (await stage.poller.poll_all_once()).sightings == 1
        assert stage.titles() == ["Ferry runs again"]
    assert "If-None-Match" not in site.requests["/rss"][-1]


async def test_a_secret_address_is_polled_and_not_shown(site: NewsServer, tmp_path: Path) -> None:
    site.answer("/rss?key=s3cret", NEWS)
    async with PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss?key=hidden"))
        secret = site.url("/rss?key=s3cret").replace("http://", "http://me:pass@")
        polling = dataclasses.replace(stage.polling, resolve=lambda _: secret)
        poller = Poller(log=stage.log, polling=polling)
        assert (await poller.poll_all_once()).sightings == 1
        (request,) = site.requests["/rss?key=s3cret"]
        assert request["Authorization"].startswith("Basic ")
        written = stage.log.read(Partition("feed-state"), 0) + stage.log.read(
            Partition("articles"), 0
        )
        assert not any(b"s3cret" in (record.value or b"") for record in written)
        assert stage.state(feed).poll == 1


async def test_an_article_above_the_record_limit_is_set_aside(
    site: NewsServer, tmp_path: Path
) -> None:
    class Swelling(InlineReader):
        async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
            found = answer(header, body)
            found["articles"][0]["text"] = "x" * 1_000_000
            return found

    site.answer("/rss", MORE)
    async with PollStage(tmp_path, site.host, sandboxes=Swelling()) as stage:
        stage.feeds.add(site.url("/rss"))
        await stage.poller.poll_all_once()
        assert stage.titles() == ["Ferry runs again"]
        (aside,) = stage.quarantine.items()
        assert aside.code == "record-too-large"


async def test_an_answer_of_the_wrong_shape_is_not_believed(
    site: NewsServer, tmp_path: Path
) -> None:
    class Taken(InlineReader):
        async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
            found = await super().call(header, body)
            return found | {"articles": [{"id": 3, "feed_id": []}]}

    async with PollStage(tmp_path, site.host, sandboxes=Taken()) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        assert (await stage.poller.poll_all_once()).failed == 1
        assert stage.state(feed).sentence.startswith("Reader crashed on this feed.")


async def test_a_log_that_takes_nothing_ends_a_single_run(site: NewsServer, tmp_path: Path) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        stage.log.close()
        with pytest.raises(UnavailableError):
            await stage.poller.poll_all_once()


async def test_a_quarantine_that_cannot_be_written_puts_the_feed_off(
    site: NewsServer, tmp_path: Path
) -> None:
    (tmp_path / "quarantine").write_text("in the way")
    site.answer("/page", "<html><body>Hello</body></html>")
    async with PollStage(tmp_path, site.host) as stage, running(stage.poller):
        page = stage.feeds.add(site.url("/page"))
        stage.feeds.add(site.url("/rss"))
        stage.poller.refresh()
        await until(lambda: len(stage.poller.states()) == 2 and len(_states(stage)) == 2)
        assert stage.state(page).sentence == "The quarantine folder cannot be written."
        assert stage.titles() == ["Ferry runs again"]


async def test_a_stop_comes_through_while_polling_pauses(site: NewsServer, tmp_path: Path) -> None:
    async with PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        site.answer("/rss", NEWS, seconds=0.2)
        async with asyncio.timeout(5), running(stage.poller):
            await until(lambda: site.count("/rss") == 1)
            stage.log.close()
            await until(lambda: stage.poller.pause != "")


async def test_a_log_that_is_no_longer_ours_ends_the_loop(site: NewsServer, tmp_path: Path) -> None:
    class Fenced(InlineReader):
        async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
            await super().call(header, body)
            raise FencedError("another poller owns this shard")

    async with PollStage(tmp_path, site.host, sandboxes=Fenced()) as stage:
        stage.feeds.add(site.url("/rss"))
        with pytest.raises(FencedError):
            await stage.poller.run(asyncio.Event())


async def test_entries_are_swept_when_their_days_are_over(site: NewsServer, tmp_path: Path) -> None:
    clock = TestClock()
    async with PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        await stage.poller.poll_all_once()
        await _age(stage, feed, days=100)
        site.answer("/rss", rss(item("9", "Else", link="https://harbour.example/9")))
        clock.pass_(days=2)
        await stage.poller.poll_all_once()
        kept = [record.key for record in stage.log.table("entries").items(f"{feed.id}:")]
        assert len(kept) == 2, "guid and link of the new entry"


async def _age(stage: PollStage, feed: Feed, *, days: int) -> None:
    for record in list(stage.log.table("entries").items(f"{feed.id}:")):
        old = (record.value or b"").replace(b'"day":0', b'"day":-%d' % days)
        stage.log.append([NewRecord(topic="entries", key=record.key, value=old)])


async def test_health_follows_the_feed(site: NewsServer, tmp_path: Path) -> None:
    clock = TestClock()
    async with PollStage(tmp_path, site.host, clock=clock) as stage:
        stage.feeds.add(site.url("/rss"))
        await stage.poller.poll_all_once()
        site.answer("/rss", b"", status=500)
        clock.pass_(hours=1)
        await stage.poller.poll_all_once()
        (health,) = stage.feeds.health(now=clock.now)
        assert (health.state, health.failures) == ("failing", 1)
        assert health.sentence == "The server answered 500 Internal Server Error."
        assert health.last_ok == clock.now - timedelta(hours=1)

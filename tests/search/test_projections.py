"""The lists of alerts and feeds on a real Elasticsearch, from a real Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.servers.elasticsearch import ElasticsearchServer
from ingest.errors import UnavailableError
from ingest.feeds import Feed, FeedState, make_feed
from ingest.log import Log, NewRecord, TopicSpec
from ingest.quarantine import Quarantine
from ingest.wire import encode
from search.alert_state import ALERT, CURSOR, Alert, Attempt, Cursor

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")
pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from elasticsearch import Elasticsearch

from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from search.elastic_bulk import Bulk
from search.elastic_client import connect
from search.elastic_lists import prepare, put_templates
from search.elastic_settings import ElasticSettings
from search.projections import Projector, Sink

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PARTITIONS = 3
TURNS = 200
"""Steps of a tenth of a second, at most, until what was appended is written."""

Document = dict[str, Any]


@dataclass
class Lists:
    """A log, both lists, and what feeds them."""

    log: Log
    settings: ElasticSettings
    client: Elasticsearch
    folder: Path

    @property
    def prefix(self) -> str:
        return self.settings.prefix

    def projector(self) -> Projector:
        """A new member, as a stage starts it."""
        return self.member(self.prepared, self.bulk())

    def prepared(self) -> str:
        return prepare(self.client, self.settings, log=self.log.identity())

    def bulk(self) -> Bulk:
        return Bulk(self.client, self.settings)

    def member(self, prepared: Callable[[], str], sink: Sink) -> Projector:
        return Projector(
            self.log,
            sink,
            prepare=prepared,
            prefix=self.prefix,
            quarantine=Quarantine(self.log, self.folder),
        )

    def append(self, topic: str, key: str, value: object | None, *, shard: int = 0) -> None:
        data = value if isinstance(value, bytes) else encode(value) if value else None
        self.log.append([NewRecord(topic=topic, key=key, value=data, partition=shard % PARTITIONS)])

    def put(self, alert: Alert, *, shard: int = 0) -> None:
        self.append("alert-state", ALERT + alert.alert_id, alert, shard=shard)

    def found(self, name: str) -> dict[str, Document]:
        """The documents of a list, by id."""
        index = f"{self.prefix}-{name}"
        self.client.indices.refresh(index=index)
        hits = self.client.search(index=index, size=1000, version=True)["hits"]["hits"]
        return {hit["_id"]: {**hit["_source"], "_version": hit["_version"]} for hit in hits}


@pytest.fixture
def lists(kafka: str, elasticsearch_server: ElasticsearchServer, tmp_path: Path) -> Iterator[Lists]:
    prefix = f"lists-{uuid4().hex[:8]}"
    log = KafkaLog(KafkaSettings(bootstrap=kafka, prefix=f"{prefix}."))
    names = ("alert-state", "feeds", "feed-state")
    specs = [TopicSpec(name=name, partitions=PARTITIONS, compacted=True) for name in names]
    log.ensure_topics([*specs, TopicSpec(name="quarantine"), TopicSpec(name="stories")])
    settings = ElasticSettings(url=elasticsearch_server.url, prefix=prefix)
    with connect(settings) as client:
        put_templates(client, settings)
        yield Lists(log=log, settings=settings, client=client, folder=tmp_path)
        for name in (f"{prefix}-alerts", f"{prefix}-feeds"):
            client.indices.delete(index=name, ignore_unavailable=True)
            client.indices.delete_index_template(name=name)
        client.cluster.delete_component_template(name=f"{prefix}-settings")
    log.close()


def caught_up(projector: Projector, records: int) -> None:
    """Step until ``records`` have been handled."""
    handled = 0
    for _ in range(TURNS):
        handled += projector.step(0.1)
        if handled >= records:
            assert handled == records
            return
    pytest.fail(f"{handled} of {records} records after {TURNS} steps")


def alert(name: str) -> Alert:
    return Alert(
        alert_id=name,
        subscription="s1",
        subscription_name="truce",
        article_id="x",
        story_id="y",
        title="Talks end",
        created=AT,
        pending=("https://example.org/hook",),
    )


def sent(one: Alert) -> Alert:
    attempt = Attempt(at=AT + timedelta(seconds=2), to="https://example.org/hook", status=204)
    return replace(one, state="sent", attempts=(attempt,), pending=(), acknowledged=(attempt.to,))


def polled(feed: Feed, **more: Any) -> FeedState:
    return FeedState(feed_id=feed.id, last_poll=AT, **more)


def test_alerts_appear_change_their_state_and_vanish(lists: Lists) -> None:
    projector = lists.projector()
    for number in range(4):
        lists.put(alert(f"a{number}"), shard=number)
    lists.append("alert-state", f"{CURSOR}0", Cursor(stories={0: 7}))
    caught_up(projector, 5)
    assert {name: one["state"] for name, one in lists.found("alerts").items()} == dict.fromkeys(
        ("a0", "a1", "a2", "a3"), "waiting"
    )

    lists.put(sent(alert("a1")), shard=1)
    lists.append("alert-state", f"{ALERT}a2", None, shard=2)
    caught_up(projector, 2)
    found = lists.found("alerts")
    assert found.keys() == {"a0", "a1", "a3"}
    assert found["a1"]["state"] == "sent"
    assert found["a1"]["latency_seconds"] == 2.0
    projector.close()


def test_a_feed_is_shown_as_its_entry_and_its_state_say_together(lists: Lists) -> None:
    projector = lists.projector()
    feed = make_feed("https://news.example/feed", added=AT, title="News")
    lists.append("feeds", feed.id, feed, shard=feed.shard)
    caught_up(projector, 1)
    assert lists.found("feeds")[feed.id]["sentence"] == "Not polled yet."

    failing = polled(feed, state="failing", sentence="The server answered 503.", failures=2)
    lists.append("feed-state", feed.id, failing, shard=feed.shard)
    caught_up(projector, 1)
    shown = lists.found("feeds")[feed.id]
    assert (shown["state"], shown["title"], shown["failures"]) == ("failing", "News", 2)

    lists.append("feeds", feed.id, replace(feed, title="Newer"), shard=feed.shard)
    caught_up(projector, 1)
    shown = lists.found("feeds")[feed.id]
    assert (shown["state"], shown["title"]) == ("failing", "Newer")
    projector.close()


def test_a_feed_removed_and_added_again_is_shown_anew(lists: Lists) -> None:
    projector = lists.projector()
    feed = make_feed("https://news.example/feed", added=AT)
    lists.append("feeds", feed.id, feed, shard=feed.shard)
    for number in range(5):
        lists.append("feed-state", feed.id, polled(feed, poll=number), shard=feed.shard)
    lists.append("feeds", feed.id, None, shard=feed.shard)
    lists.append("feed-state", feed.id, None, shard=feed.shard)
    caught_up(projector, 8)
    assert lists.found("feeds") == {}

    lists.append("feeds", feed.id, feed, shard=feed.shard)
    caught_up(projector, 1)
    assert lists.found("feeds")[feed.id]["sentence"] == "Not polled yet."
    projector.close()


def test_reading_all_records_again_gives_the_same_documents(lists: Lists) -> None:
    projector = lists.projector()
    feeds = [make_feed(f"https://h{number}.example/", added=AT) for number in range(5)]
    for number, feed in enumerate(feeds):
        lists.append("feeds", feed.id, feed, shard=feed.shard)
        lists.append("feed-state", feed.id, polled(feed, failures=number), shard=feed.shard)
        lists.put(alert(f"a{number}"), shard=number)
        lists.put(sent(alert(f"a{number}")), shard=number)
    lists.append("alert-state", f"{ALERT}a3", None, shard=3)
    lists.append("feeds", feeds[1].id, None, shard=feeds[1].shard)
    records = 5 * 4 + 2
    caught_up(projector, records)
    projector.close()
    before = lists.found("alerts"), lists.found("feeds")
    assert [len(one) for one in before] == [4, 4]

    lists.client.indices.delete(index=f"{lists.prefix}-alerts")
    again = lists.projector()
    caught_up(again, records)
    again.close()
    assert (lists.found("alerts"), lists.found("feeds")) == before


def test_a_member_that_starts_again_goes_on_where_it_was(lists: Lists) -> None:
    first = lists.projector()
    lists.put(alert("a1"))
    caught_up(first, 1)
    first.close()

    lists.put(alert("a2"))
    second = lists.projector()
    caught_up(second, 1)
    assert second.written == 1
    assert lists.found("alerts").keys() == {"a1", "a2"}
    second.close()


def test_a_member_that_dies_while_new_lists_are_filled_leaves_no_gap(lists: Lists) -> None:
    filled = lists.projector()
    lists.put(alert("a1"))
    lists.put(alert("a2"))
    caught_up(filled, 2)
    filled.close()

    lists.client.indices.delete(index=f"{lists.prefix}-alerts")
    lists.prepared()  # and dies
    again = lists.projector()
    caught_up(again, 2)
    assert lists.found("alerts").keys() == {"a1", "a2"}
    again.close()


def test_a_record_older_than_what_is_shown_changes_nothing(lists: Lists) -> None:
    projector = lists.projector()
    lists.put(alert("a1"))
    lists.put(sent(alert("a1")))
    caught_up(projector, 2)
    shown = lists.found("alerts")

    projector.close()
    late = lists.member(lambda: "project-late", lists.bulk())
    caught_up(late, 2)
    assert lists.found("alerts") == shown
    late.close()


def test_what_cannot_be_shown_is_set_aside_and_the_rest_goes_on(lists: Lists) -> None:
    projector = lists.projector()
    lists.append("alert-state", f"{ALERT}bad", b'{"alert_id": 7}')
    lists.put(replace(alert("long"), subscription_name="x" * 40_000))
    lists.put(replace(alert("odd"), payload="no json"))
    lists.put(alert("good"))
    caught_up(projector, 4)

    assert lists.found("alerts").keys() == {"good"}
    rows = Quarantine(lists.log, lists.folder).items()
    assert {one.topic for one in rows} == {""}, "a retry would put old state back"
    aside = {one.key: one.why for one in rows}
    assert aside.keys() == {f"{ALERT}bad", f"{ALERT}long", f"{ALERT}odd"}
    assert "refused" in aside[f"{ALERT}long"]
    projector.close()


class Away:
    """An Elasticsearch that is away for the first write."""

    def __init__(self, sink: Bulk) -> None:
        self._sink = sink
        self.refusals = 1

    def write(self, operations: Any) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("away")
        return self._sink.write(operations)


def test_nothing_is_committed_before_it_is_written(lists: Lists) -> None:
    away = Away(lists.bulk())
    projector = lists.member(lists.prepared, away)
    lists.put(alert("a1"))
    while away.refusals:
        assert projector.step(0.1) == 0
    assert projector.delay_seconds > 0
    assert projector.lag() == 1
    projector.close()

    again = lists.projector()
    caught_up(again, 1)
    assert again.delay_seconds == 0
    assert lists.found("alerts").keys() == {"a1"}
    again.close()


def test_the_lists_of_another_log_are_made_anew(lists: Lists) -> None:
    groups = [prepare(lists.client, lists.settings, log=log) for log in ("one", "one", "two")]

    assert groups[0] == groups[1] != groups[2]


def test_a_list_that_is_deleted_while_it_is_written_is_filled_anew(lists: Lists) -> None:
    projector = lists.projector()
    lists.put(alert("a1"))
    caught_up(projector, 1)

    lists.client.indices.delete(index=f"{lists.prefix}-alerts")
    lists.put(alert("a2"))
    caught_up(projector, 2)
    assert lists.found("alerts").keys() == {"a1", "a2"}
    projector.close()

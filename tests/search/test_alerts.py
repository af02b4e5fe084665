"""Which alerts the owner claims, and that a crash changes nothing about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.errors import NewerSchemaError, NotFoundError, UnavailableError
from ingest.log import NewRecord, Partition
from ingest.wire import decode, encode
from processors.records import Evidence, TopicTag
from search.alert_state import SINCE, TOPIC, Since, alert_id
from search.explain import explain_match
from tests.alerting import Clock, Newsdesk, revised, story


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path, clock=Clock())
    yield made
    made.close()


def advance(desk: Newsdesk, **time: float) -> None:
    assert isinstance(desk.clock, Clock)
    desk.clock.advance(**time)


def test_a_story_is_alerted_once_whatever_comes_after(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    first = story("a")
    desk.publish(first)
    desk.settle()
    desk.publish(revised(first, "The truce holds."), story("b", story_id="a"), first)
    desk.settle()
    (alert,) = desk.alerts()
    assert (alert.article_id, alert.story_id, alert.state) == ("a", "a", "waiting")
    assert alert.alert_id == alert_id(desk.store.get("truce").id, "a")


def test_stories_of_one_batch_are_claimed_once(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a"), story("b", story_id="a"), story("c"))
    desk.settle()
    assert sorted(one.article_id for one in desk.alerts()) == ["a", "c"]


def test_every_article_alerts_where_that_was_asked_for(desk: Newsdesk) -> None:
    desk.subscribe("truce", every_article=True)
    desk.settle()
    first = story("a")
    desk.publish(first, story("b", story_id="a"), revised(first, "Still a truce."))
    desk.settle()
    assert sorted(one.article_id for one in desk.alerts()) == ["a", "b"]


def test_a_revision_alerts_where_only_it_matches(desk: Newsdesk) -> None:
    desk.subscribe("treaty", "treaty")
    desk.settle()
    first = story("a")
    desk.publish(first)
    desk.settle()
    assert desk.alerts() == []
    desk.publish(revised(first, "They signed a treaty."))
    desk.settle()
    assert len(desk.alerts()) == 1


@pytest.mark.parametrize("cause", ["first-poll", "replay", "backfill"])
def test_old_news_alerts_nobody(desk: Newsdesk, cause: str) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a", cause=cause))  # type: ignore[arg-type]  # one of the causes
    desk.settle()
    assert desk.alerts() == []
    assert explain_match(desk.log, desk.store.get("truce"), "a")["sentence"].startswith("No alert:")


@pytest.mark.parametrize("change", ["feed", "retag", "link"])
def test_what_the_publisher_did_not_change_alerts_nobody(desk: Newsdesk, change: str) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a", change=change))  # type: ignore[arg-type]  # one of the changes
    desk.settle()
    assert desk.alerts() == []


def test_full_text_that_comes_later_alerts(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a", cause="fulltext", change="revision"))
    desk.settle()
    assert len(desk.alerts()) == 1


def test_a_claim_on_a_merged_story_counts_for_the_survivor(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("b", story_id="younger"))
    desk.settle()
    desk.link("younger", "older")
    desk.publish(story("c", story_id="older", absorbed=("younger",)))
    desk.publish(story("d", story_id="older"), story("e", story_id="younger"))
    desk.settle()
    assert [one.article_id for one in desk.alerts()] == ["b"]


def test_an_alert_of_a_merged_story_is_claimed_under_the_oldest(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.link("second", "first")
    desk.link("third", "second", order=1)
    desk.publish(story("a", story_id="third"))
    desk.settle()
    (alert,) = desk.alerts()
    assert alert.alert_id == alert_id(desk.store.get("truce").id, "first")


def test_a_restarted_owner_goes_on_where_the_log_says(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a"))
    desk.settle()
    desk.owner.close()
    desk.link("b", "a")
    desk.owner = desk.new_owner()
    desk.publish(story("a"), story("b", story_id="b"), story("c"))
    desk.settle()
    assert sorted(one.article_id for one in desk.alerts()) == ["a", "c"]


def test_a_claim_is_dropped_when_its_story_is_long_over(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a"))
    desk.settle()
    (alert,) = desk.alerts()
    done = replace(alert, state="sent")
    desk.log.append([NewRecord(topic=TOPIC, key=f"alert:{alert.alert_id}", value=encode(done))])
    assert isinstance(desk.clock, Clock)
    desk.clock.now = desk.log.read(Partition(TOPIC), 0)[0].appended + timedelta(days=32)
    desk.owner.step(0)
    assert len(desk.alerts()) == 1
    desk.publish(story("b", story_id="a"))
    desk.settle()
    assert desk.log.table(TOPIC).get(f"counted:{alert.alert_id}") is not None
    advance(desk, days=2)
    desk.owner.step(0)
    assert desk.alerts() == []
    assert desk.log.table(TOPIC).get(f"counted:{alert.alert_id}") is None


def test_what_waits_is_never_dropped(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a"))
    desk.settle()
    advance(desk, days=4000)
    desk.owner.step(0)
    assert len(desk.alerts()) == 1


def test_a_record_that_cannot_be_read_is_set_aside_and_the_next_is_alerted(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.log.append([NewRecord(topic="stories", key="bad", value=b"{")])
    desk.publish(story("a"))
    desk.settle()
    assert [one.article_id for one in desk.alerts()] == ["a"]
    (row,) = desk.quarantine.items()
    assert (row.stage, row.key, row.topic) == ("alert", "bad", "stories")


def test_a_record_of_a_newer_version_stops_the_stage(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    desk.log.append([NewRecord(topic="stories", key="new", value=b'{"schema":2}')])
    with pytest.raises(NewerSchemaError, match="schema 2"):
        desk.owner.step(0)
    desk.owner.close()
    assert desk.owner.lag() == 1


def test_an_excerpt_that_is_cut_ends_behind_a_word_with_an_ellipsis(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.settle()
    text = "A truce was agreed upon. " * 30
    desk.publish(story("long", text), story("short", "A truce was agreed upon."))
    desk.settle()
    excerpts = {
        one.article_id: json.loads(one.payload)["data"]["article"]["excerpt"]
        for one in desk.alerts()
    }
    assert excerpts["short"] == "A truce was agreed upon."
    long = excerpts["long"]
    assert len(long) <= 600
    assert text.startswith(long.removesuffix("…") + " ")


def test_the_payload_says_what_matched_and_why(desk: Newsdesk) -> None:
    evidence = Evidence(rule="truce", points=3, zone="body", spans=((24, 29),), text="truce")
    tag = TopicTag(topic="peace", version=1, score=0.9, band="tag", evidence=(evidence,))
    made = desk.subscribe("peace talks", 'topic:peace "agreed on" source:example.org NOT war')
    desk.settle()
    desk.publish(story("a", topics=(tag,), sources=("example.org", "example.net")))
    desk.settle()
    (alert,) = desk.alerts()
    body = json.loads(alert.payload)
    data = body["data"]
    assert body["type"] == "article.matched"
    assert data["alert_id"] == alert.alert_id
    assert data["subscription"]["id"] == made
    assert data["article"]["url"] == "https://example.org/a"
    assert data["article"]["excerpt"].startswith("Negotiators agreed")
    assert data["story"] == {"id": "a", "size": 2, "sources": ["example.org", "example.net"]}
    assert data["topics"] == ["peace"]
    assert data["why"][0] == {
        "clause": '"agreed on"', "zone": "lead", "spans": [[12, 21]], "text": "agreed on",
    }  # fmt: skip
    assert {one["clause"] for one in data["why"]} == {
        '"agreed on"', "topic:peace", "source:example.org",
    }  # fmt: skip
    assert set(data["links"]) == {"article", "story", "mute"}


def test_a_payload_stays_below_its_limit_whatever_it_is_about(desk: Newsdesk) -> None:
    words = " OR ".join(f"wörd{number}" for number in range(200))
    desk.subscribe("many", words)
    desk.settle()
    text = " ".join(f"wörd{number} 停戦" for number in range(200)) * 20
    desk.publish(story("a", text, title="停" * 1000, sources=("停.example",) * 500))
    desk.settle()
    (alert,) = desk.alerts()
    assert len(alert.payload.encode()) <= 20_000
    assert json.loads(alert.payload)["data"]["why"]


def test_a_subscription_that_counts_says_since_when(desk: Newsdesk) -> None:
    desk.publish(story("old"))
    made = desk.subscribe("truce")
    assert desk.store.view(desk.store.get(made))["active"] is None
    desk.settle()
    shown = desk.store.view(desk.store.get(made))
    assert shown["since"] == 1
    assert shown["active"] == "2026-11-22T12:00:00.000Z"


def test_a_query_that_this_version_cannot_read_stops_nobody(desk: Newsdesk) -> None:
    odd = replace(desk.store.get(desk.subscribe("odd")), query="((", version=2)
    desk.log.append([NewRecord(topic="subscriptions", key=odd.id, value=encode(odd))])
    desk.subscribe("truce")
    desk.settle()
    desk.owner.close()
    desk.publish(story("a"))
    desk.settle()
    assert [one.subscription_name for one in desk.alerts()] == ["truce"]
    assert "cannot be read" in explain_match(desk.log, odd, "a")["sentence"]


def test_an_edit_of_name_and_target_keeps_since(desk: Newsdesk) -> None:
    made = desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a", "nothing"))
    desk.settle()
    desk.store.edit("truce", name="peace", to=[f"file:{desk.folder}/x.jsonl"])
    desk.settle()
    record = desk.log.table(TOPIC).get(SINCE + made)
    assert record is not None
    since = decode(Since, record.value or b"")
    assert (dict(since.offset), since.applied.name) == ({}, "peace")
    desk.publish(story("b"))
    desk.settle()
    (alert,) = desk.alerts()
    assert (alert.subscription_name, alert.pending) == ("peace", (f"file:{desk.folder}/x.jsonl",))


def test_explain_names_the_clause_and_the_story(desk: Newsdesk) -> None:
    desk.publish(story("old"))
    desk.subscribe("truce", "truce AND NOT (war OR ATLEAST/2(storm, snow, ice))")
    found = explain_match(desk.log, desk.store.get("truce"), "old")
    assert "not active yet" in found["sentence"]
    desk.settle()
    found = explain_match(desk.log, desk.store.get("truce"), "old")
    assert "older than the subscription" in found["sentence"]
    assert any("no: war" in line for line in found["reasons"])
    desk.publish(story("a"), story("b", story_id="a"), story("c", "fog"))
    desk.settle()
    told = [explain_match(desk.log, desk.store.get("truce"), name)["sentence"] for name in "abc"]
    assert "was made for it" in told[0]
    assert "its story was alerted with article a" in told[1]
    assert "does not match" in told[2]
    desk.store.edit("truce", paused=True)
    desk.settle()
    desk.publish(story("d"))
    desk.settle()
    assert "paused" in explain_match(desk.log, desk.store.get("truce"), "d")["sentence"]


def test_explain_needs_an_article_that_is_there(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    with pytest.raises(NotFoundError, match="no article"):
        explain_match(desk.log, desk.store.get("truce"), "none")


def test_a_log_that_was_closed_for_a_moment_costs_nothing_but_time(tmp_path: Path) -> None:
    desk = Newsdesk(folder=tmp_path)
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a"))
    desk.log.close()
    with pytest.raises(UnavailableError):
        desk.owner.step(0)
    again = Newsdesk(folder=tmp_path)
    again.settle()
    assert [one.article_id for one in again.alerts()] == ["a"]
    again.close()
    desk.owner.close()

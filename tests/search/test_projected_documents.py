"""Alerts and feeds as documents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ingest.feeds import FeedState, make_feed
from search.alert_state import Alert, Attempt
from search.projected_documents import (
    MAPPINGS,
    alert_document,
    feed_document,
    feed_version,
)

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FEED = make_feed("https://www.news.example/feed", added=AT, title="News", groups=("World",))

WAITING = Alert(
    alert_id="a1",
    subscription="s1",
    subscription_name="truce",
    article_id="x",
    story_id="y",
    title="Talks end",
    created=AT,
    pending=("https://example.org/hook?key={secret:0123456789abcdef}",),
    payload=json.dumps({"data": {"topics": ["ceasefire-talks"]}}),
)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def test_an_alert_that_waits_has_neither_a_time_of_sending_nor_a_latency() -> None:
    made = alert_document(WAITING)

    assert made["state"] == "waiting"
    assert made["topics"] == ["ceasefire-talks"]
    assert not made.keys() & {"sent", "latency_seconds", "error"}


def test_no_secret_of_a_target_is_in_the_document() -> None:
    assert alert_document(WAITING)["to"] == ["https://example.org/hook?key=***"]


def test_latency_runs_from_the_claim_to_the_last_acknowledgement() -> None:
    attempts = (
        Attempt(at=after(1), to="b", status=500, error="HTTP 500"),
        Attempt(at=after(2), to="a", status=204),
        Attempt(at=after(6.5), to="b", status=200),
    )
    sent = replace(WAITING, state="sent", attempts=attempts, pending=(), acknowledged=("a", "b"))
    made = alert_document(sent)

    assert made["latency_seconds"] == 6.5
    assert made["sent"] == "2026-11-22T12:00:06.500Z"
    assert made["attempts"] == 3
    assert made["to"] == ["a", "b"]
    assert "error" not in made


def test_a_failed_alert_says_its_last_error() -> None:
    attempts = (
        Attempt(at=after(1), to="a", status=500, error="HTTP 500"),
        Attempt(at=after(2), to="a", status=410, error="HTTP 410"),
    )
    made = alert_document(replace(WAITING, state="failed", attempts=attempts))

    assert made["error"] == "HTTP 410"
    assert "latency_seconds" not in made


def test_an_alert_whose_targets_were_all_taken_away_is_sent_without_a_latency() -> None:
    made = alert_document(replace(WAITING, state="sent", pending=()))

    assert made["state"] == "sent"
    assert "latency_seconds" not in made


def test_a_feed_not_polled_yet_is_a_document_without_times() -> None:
    made = feed_document(FEED, None, now=AT)

    assert made["sentence"] == "Not polled yet."
    assert made["host"] == "news.example"
    assert not made.keys() & {"last_poll", "last_ok", "last_new", "next_poll", "quiet_seconds"}


def test_a_feed_is_silent_by_the_time_its_state_was_written() -> None:
    state = FeedState(
        feed_id=FEED.id,
        last_poll=AT,
        last_ok=AT,
        last_new=AT - timedelta(days=5),
        usual_gap_seconds=3600,
    )

    made = feed_document(FEED, state, now=AT)
    assert made["state"] == "silent"
    assert made["quiet_seconds"] == 5 * 86_400
    assert feed_document(FEED, state, now=AT - timedelta(days=4))["state"] == "ok"


def test_secrets_in_a_feeds_address_are_not_shown() -> None:
    secret = make_feed("https://user:hunter2@news.example/feed?api_key=hunter3", added=AT)

    made = feed_document(secret, None, now=AT)
    assert "hunter" not in json.dumps(made)
    assert made["host"] == "news.example"


def test_every_field_has_a_place_in_the_mapping() -> None:
    failed = replace(
        WAITING, state="failed", attempts=(Attempt(at=after(1), to="a", error="HTTP 500"),)
    )
    sent = replace(WAITING, state="sent", attempts=(Attempt(at=after(1), to="a", status=200),))
    full = FeedState(
        feed_id=FEED.id,
        last_poll=AT,
        last_ok=AT,
        last_new=AT,
        next_poll=AT,
        usual_gap_seconds=60,
        failures=1,
    )

    alerts = alert_document(failed).keys() | alert_document(sent).keys()
    assert alerts == MAPPINGS["alerts"].keys()
    assert feed_document(FEED, full, now=AT).keys() == MAPPINGS["feeds"].keys()


def test_the_version_of_a_feed_grows_with_polls_and_more_with_edits() -> None:
    never_polled = feed_version(3, None)
    polled = feed_version(3, 0)
    polled_long = feed_version(3, 10**12)
    removed = feed_version(4, None)
    added_again = feed_version(5, None)

    assert never_polled < polled < polled_long < removed < added_again < 2**63

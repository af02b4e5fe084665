"""What is due when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from search.alert_state import Alert, Endpoint
from search.deliveries import (
    MAX_ATTEMPTS_KEPT,
    RETRY_SECONDS,
    Outcome,
    answered,
    concluded,
    gate,
    given_up,
    health,
    rest_seconds,
    targets_left,
)
from search.subscriptions import Subscription
from tests.alerting import START

HOOK, FILE = "https://example.org/hook", "file:/tmp/alerts.jsonl"
ALERT = Alert(
    alert_id="x", subscription="s", subscription_name="truce", article_id="a", story_id="a",
    title="t", created=START, pending=(HOOK, FILE), next_attempt=START,
)  # fmt: skip
FAILED = Outcome(status=500, error="It answered 500.")
HEALTHY = Endpoint(target=HOOK)


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    alert, now, waits = ALERT, START, []
    while alert.state == "waiting":
        alert = concluded(alert, [FAILED], now=now, chance=0.0)
        if alert.next_attempt:
            waits.append((alert.next_attempt - now).total_seconds())
            now = alert.next_attempt
    assert waits == list(RETRY_SECONDS)
    assert timedelta(hours=75) < now - START < timedelta(hours=76)
    assert (alert.state, alert.tries) == ("failed", 10)


def test_the_jitter_adds_a_tenth_at_most() -> None:
    later = concluded(ALERT, [FAILED], now=START, chance=1.0).next_attempt
    assert later == START + timedelta(seconds=5.5)


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 5.0), (120.0, 120.0), (1e9, 86_400.0)])
def test_what_a_receiver_asks_for_is_honoured_for_a_day(asked: float, waited: float) -> None:
    outcome = replace(FAILED, retry_after_seconds=asked)
    later = concluded(ALERT, [outcome], now=START, chance=0.0).next_attempt
    assert later == START + timedelta(seconds=waited)


def test_an_alert_is_sent_when_all_targets_acknowledged() -> None:
    alert = answered(ALERT, HOOK, Outcome(status=200), now=START)
    assert (alert.pending, alert.acknowledged) == ((FILE,), (HOOK,))
    assert concluded(alert, [Outcome(), FAILED], now=START, chance=0).state == "waiting"
    alert = answered(alert, FILE, Outcome(), now=START)
    assert concluded(alert, [Outcome()], now=START, chance=0).state == "sent"


def test_what_cannot_succeed_is_not_tried_again() -> None:
    gone = Outcome(status=410, error="Gone.", final=True)
    assert concluded(ALERT, [gone, Outcome()], now=START, chance=0).state == "failed"
    assert concluded(ALERT, [gone, FAILED], now=START, chance=0).state == "waiting"


def test_attempts_show_no_secret_and_do_not_grow_for_ever() -> None:
    alert = ALERT
    for _ in range(MAX_ATTEMPTS_KEPT + 5):
        alert = answered(alert, "https://x/?k={secret:0123456789abcdef}", FAILED, now=START)
    assert len(alert.attempts) == MAX_ATTEMPTS_KEPT
    assert alert.attempts[0].to == "https://x/?k=***"
    assert len(given_up(alert, "It was removed.", now=START).attempts) == MAX_ATTEMPTS_KEPT


def test_an_edit_of_the_targets_counts_for_what_waits() -> None:
    one = Subscription(id="s", name="n", query="q", to=(FILE,), created=START)
    assert targets_left(ALERT, one) == (FILE,)
    assert targets_left(ALERT, replace(one, to=("stdout:",))) == ("stdout:",)
    sent = replace(ALERT, pending=(HOOK,), acknowledged=(FILE,))
    assert targets_left(sent, one) == ()


def test_a_receiver_that_fails_for_75_hours_is_disabled_with_a_sentence() -> None:
    endpoint, now = HEALTHY, START
    for _ in range(75):
        endpoint = health(endpoint, FAILED, now=now, disable_after_hours=75)
        assert not endpoint.disabled
        now += timedelta(hours=1)
    endpoint = health(endpoint, FAILED, now=now, disable_after_hours=75)
    assert "failed since 2026-11-22 12:00" in endpoint.disabled
    assert gate(endpoint, now=now) == "disabled"
    again = health(endpoint, FAILED, now=now, disable_after_hours=75)
    assert again.disabled == endpoint.disabled


def test_410_disables_at_once_and_an_acknowledgement_enables_again() -> None:
    gone = Outcome(status=410, error="Gone.", final=True)
    endpoint = health(HEALTHY, gone, now=START, disable_after_hours=75)
    assert "410" in endpoint.disabled
    well = replace(HEALTHY, last_ok=START)
    assert health(endpoint, Outcome(status=204), now=START, disable_after_hours=75) == well


def test_not_every_success_is_written() -> None:
    first = health(HEALTHY, Outcome(), now=START, disable_after_hours=75)
    assert first.last_ok == START
    soon, later = START + timedelta(minutes=59), START + timedelta(hours=1)
    assert health(first, Outcome(), now=soon, disable_after_hours=75) is first
    assert health(first, Outcome(), now=later, disable_after_hours=75).last_ok == later


def test_a_throttling_receiver_is_left_alone_as_long_as_it_asks() -> None:
    busy = replace(FAILED, status=429, retry_after_seconds=120)
    endpoint = health(HEALTHY, busy, now=START, disable_after_hours=75)
    assert gate(endpoint, now=START + timedelta(seconds=119)) == "closed"
    assert gate(endpoint, now=START + timedelta(seconds=120)) == "open"
    assert gate(HEALTHY, now=START) == "open"


def test_a_failing_receiver_gets_longer_rests_up_to_a_minute() -> None:
    rests = [rest_seconds(replace(HEALTHY, failures=count)) for count in (0, 1, 2, 3, 7, 10_000)]
    assert rests == [0, 1, 2, 4, 60, 60]

"""History for one subscription: what matched before it counted, or while it was paused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from ingest.errors import UsageError
from ingest.log import NewRecord, topic_specs
from processors.records import StoryRecord
from search.backfill import Backfill, backfill_row, check_begin
from tests.alerting import MANY, Newsdesk, revised, story

NOW = datetime.now(UTC)


class OpenDesk(Protocol):
    """Opens a desk over a log of its own."""

    def __call__(self) -> Newsdesk: ...


@pytest.fixture(params=["sqlite", "sqlite-many", "kafka"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Newsdesk]:
    """One partition in a file, and several of stories and subscriptions."""
    if request.param == "kafka":
        pytest.importorskip("kafka", reason="the extra for Kafka is not installed")
        from tests.alert_workers import kafka_log  # noqa: PLC0415  needs the extra

        log = kafka_log(request.getfixturevalue("kafka"))
        made = Newsdesk(folder=tmp_path, given=log, specs=MANY, wait_seconds=0.1)
    else:
        made = Newsdesk(folder=tmp_path, specs=MANY if "many" in request.param else topic_specs())
    yield made
    made.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path)
    yield made
    made.close()


def seen(one: StoryRecord, *, days_ago: float = 0.0) -> StoryRecord:
    """``one`` as if it had been registered so long ago."""
    when = NOW - timedelta(days=days_ago)
    return replace(one, article=replace(one.article, seen=when))


def alerted(desk: Newsdesk) -> list[str]:
    desk.settle()
    return sorted(one.article_id for one in desk.alerts())


def begin(desk: Newsdesk) -> None:
    """Work until the first alerts are there: a backfill of several steps is under way."""
    while not desk.alerts():
        desk.owner.step(0)


def looks_back(desk: Newsdesk, name: str = "s") -> list[str]:
    rows = desk.store.view(desk.store.get(name))["backfills"]
    return [row["sentence"] for row in rows]


def test_a_backfill_alerts_what_was_published_before_and_nothing_twice(desk: Newsdesk) -> None:
    desk.publish(*(seen(story(f"a{n}"), days_ago=2 - n / 10) for n in range(9)))
    desk.publish(seen(story("too-old"), days_ago=5), seen(story("other", "A treaty."), days_ago=1))
    desk.subscribe("s")
    desk.publish(seen(story("new")))
    assert alerted(desk) == ["new"]
    desk.store.backfill("s", since=NOW - timedelta(days=3))
    assert alerted(desk) == [*(f"a{n}" for n in range(9)), "new"]
    assert looks_back(desk) == [
        f"history, from {NOW - timedelta(days=3):%Y-%m-%d %H:%M} UTC on: done, 9 alerts"
    ]
    desk.store.backfill("s", since=NOW - timedelta(days=4))
    assert len(alerted(desk)) == 10
    assert looks_back(desk)[0].endswith("done, 0 alerts")


def test_a_backfill_is_for_the_subscription_that_asked(small: Newsdesk) -> None:
    small.publish(seen(story("a"), days_ago=1))
    small.subscribe("s")
    small.subscribe("bystander")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    small.settle()
    assert [one.subscription_name for one in small.alerts()] == ["s"]


@pytest.mark.parametrize("cause", ["first-poll", "replay", "backfill"])
def test_a_backfill_counts_old_entries_of_every_cause(small: Newsdesk, cause: str) -> None:
    small.subscribe("s")
    small.publish(seen(story("a", cause=cause), days_ago=1))  # type: ignore[arg-type] # a Cause
    assert alerted(small) == []
    small.store.backfill("s", since=NOW - timedelta(days=2))
    assert alerted(small) == ["a"]


def test_a_backfill_alerts_once_a_story_or_each_article(small: Newsdesk) -> None:
    small.publish(*(seen(story(n, story_id="one"), days_ago=1) for n in ("a", "b", "c")))
    small.subscribe("once")
    small.subscribe("each", every_article=True)
    for name in ("once", "each"):
        small.store.backfill(name, since=NOW - timedelta(days=2))
    small.settle()
    found = [(one.subscription_name, one.article_id) for one in small.alerts()]
    assert sorted(found) == [("each", "a"), ("each", "b"), ("each", "c"), ("once", "a")]


def test_what_was_taken_back_since_alerts_nobody(small: Newsdesk) -> None:
    before = seen(story("a"), days_ago=1)
    small.publish(before, revised(before, "There is nothing to it."))
    small.subscribe("s")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    assert alerted(small) == []


def test_what_was_erased_since_alerts_nobody(small: Newsdesk) -> None:
    small.publish(seen(story("a"), days_ago=1), seen(story("b"), days_ago=1))
    small.log.append([NewRecord(topic="stories", key="a", value=None)])
    small.subscribe("s")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    assert alerted(small) == ["b"]


def test_live_news_does_not_wait_for_a_backfill(small: Newsdesk) -> None:
    small.publish(*(seen(story(f"old{n:03}"), days_ago=1) for n in range(500)))
    small.subscribe("s")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    small.publish(story("new"))
    while not any(one.article_id == "new" for one in small.alerts()):
        small.owner.step(0)
    assert len(small.alerts()) < 501
    assert len(alerted(small)) == 501


def test_a_backfill_goes_on_where_a_killed_worker_was(small: Newsdesk) -> None:
    small.publish(*(seen(story(f"old{n:03}"), days_ago=1) for n in range(450)))
    small.subscribe("s")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    steps = 0
    while small.owner.lag():
        small.owner.step(0)
        small.owner.close()  # forgets all it knows, as a kill does
        steps += 1
    assert steps > 2
    assert len(alerted(small)) == 450
    assert looks_back(small)[0].endswith("done, 450 alerts")


def test_an_edit_of_the_query_gives_the_backfill_up(small: Newsdesk) -> None:
    small.publish(*(seen(story(f"old{n:03}"), days_ago=1) for n in range(450)))
    small.subscribe("s")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    begin(small)
    small.rename("s", query="treaty")
    small.settle()
    assert 0 < len(small.alerts()) < 450
    assert "given up, the query was changed" in looks_back(small)[0]


def test_a_removed_subscription_is_not_filled(small: Newsdesk) -> None:
    small.publish(*(seen(story(f"old{n:03}"), days_ago=1) for n in range(450)))
    small.subscribe("s")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    begin(small)
    small.store.remove("s")
    small.settle()
    assert 0 < len(small.alerts()) < 450
    assert small.owner.lag() == 0


def test_a_pause_is_caught_up_with_only_where_that_is_asked(desk: Newsdesk) -> None:
    for name in ("gap", "whole"):
        desk.subscribe(name)
    desk.publish(story("before"))
    desk.settle()
    for name in ("gap", "whole"):
        desk.rename(name, paused=True)
    desk.settle()
    desk.publish(story("meanwhile"), story("entry", cause="first-poll"), story("x", "A treaty."))
    desk.settle()
    assert looks_back(desk, "whole")[0].endswith("sent if the pause ends with --catch-up")
    desk.store.edit("gap", paused=False)
    desk.store.edit("whole", paused=False, catch_up=True)
    desk.settle()
    desk.publish(story("after"))
    desk.settle()
    found = sorted((one.subscription_name, one.article_id) for one in desk.alerts())
    assert found == [
        ("gap", "after"),
        ("gap", "before"),
        ("whole", "after"),
        ("whole", "before"),
        ("whole", "meanwhile"),
    ]
    assert looks_back(desk, "gap") == []
    assert looks_back(desk, "whole")[0].endswith("done, 1 alert")


def test_a_query_changed_in_a_pause_counts_from_the_change(small: Newsdesk) -> None:
    small.subscribe("s")
    small.rename("s", paused=True)
    small.settle()
    small.publish(story("truce"), story("early", "A treaty."))
    small.settle()
    small.rename("s", query="treaty")
    small.settle()
    small.publish(story("late", "A treaty."))
    small.store.edit("s", paused=False, catch_up=True)
    assert alerted(small) == ["late"]


def test_a_second_pause_does_not_lose_what_the_first_one_missed(small: Newsdesk) -> None:
    small.subscribe("s")
    small.rename("s", paused=True)
    small.settle()
    small.publish(*(story(f"a{n:03}") for n in range(450)))
    small.settle()
    small.store.edit("s", paused=False, catch_up=True)
    begin(small)
    small.rename("s", paused=True)
    small.settle()
    small.publish(story("later"))
    small.settle()
    assert 0 < len(small.alerts()) < 450
    small.store.edit("s", paused=False)
    assert len(alerted(small)) == 450


def test_a_backfill_rests_while_its_subscription_is_paused(small: Newsdesk) -> None:
    small.publish(*(seen(story(f"old{n:03}"), days_ago=1) for n in range(450)))
    small.subscribe("s")
    small.store.backfill("s", since=NOW - timedelta(days=2))
    begin(small)
    small.rename("s", paused=True)
    small.settle()
    assert 0 < len(small.alerts()) < 450
    assert "rests while" in looks_back(small)[0]
    small.rename("s", paused=False)
    assert len(alerted(small)) == 450


def test_a_backfill_that_could_send_again_is_refused(small: Newsdesk) -> None:
    one = small.store.add(name="s", query="truce", to=["stdout:"])
    old = replace(one, created=NOW - timedelta(days=90))
    check_begin(one, NOW - timedelta(days=300), now=NOW, claim_days=30)
    check_begin(old, NOW - timedelta(days=27), now=NOW, claim_days=30)
    with pytest.raises(UsageError, match="not known any more"):
        check_begin(old, NOW - timedelta(days=29), now=NOW, claim_days=30)
    with pytest.raises(UsageError, match="in the past"):
        check_begin(one, NOW + timedelta(days=1), now=NOW, claim_days=30)
    with pytest.raises(UsageError, match="paused"):
        check_begin(replace(one, paused=True), NOW - timedelta(days=1), now=NOW, claim_days=30)


def test_progress_is_a_share_and_a_sentence() -> None:
    one = Backfill(
        subscription="s",
        kind="backfill",
        since=datetime(2026, 11, 1, tzinfo=UTC),
        offset={0: 30},
        end={0: 50, 1: 5},
        total=100,
        alerts=1,
    )
    row = backfill_row(one)
    assert row["progress"] == 0.75
    assert row["sentence"] == "history, from 2026-11-01 00:00 UTC on: 75% read, 1 alert so far"

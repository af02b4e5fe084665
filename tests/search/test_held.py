"""What is kept of held alerts, and when to look."""

from __future__ import annotations

from datetime import datetime, timedelta

from search.held import LONG_AGO, Held, HeldAlert
from search.timing import Digest, Hold, Timing
from tests.alerting import START

MINUTE = timedelta(minutes=1)
EIGHT = datetime.fromisoformat("2026-11-23T08:00:00Z")
DAILY = Timing(digest=Digest.parse("0 8 * * *"))


def held(name: str, *, created: datetime = START, shard: int = 0, whose: str = "s") -> HeldAlert:
    return HeldAlert(
        alert_id=name,
        subscription=whose,
        shard=shard,
        since=0,
        created=created,
        hold=Hold(why="digest", until=EIGHT),
    )


def names(found: list[HeldAlert]) -> list[str]:
    return [one.alert_id for one in found]


def test_what_is_due_is_taken_oldest_first_and_the_rest_looked_at_in_time() -> None:
    kept = Held()
    kept.add([held("b", created=START + MINUTE), held("a"), held("late", created=EIGHT)])
    assert kept.next_look() == LONG_AGO
    assert kept.pop_looks(START, count=9) == ["s"]
    assert kept.take("s", DAILY, now=START) == []
    assert kept.next_look() == EIGHT
    assert kept.pop_looks(START, count=9) == []
    assert kept.pop_looks(EIGHT, count=9) == ["s"]
    assert names(kept.take("s", DAILY, now=EIGHT)) == ["a", "b"]
    assert kept.next_look() == EIGHT + timedelta(days=1)


def test_of_a_removed_subscription_all_is_due() -> None:
    kept = Held()
    kept.add([held("a"), held("b")])
    assert names(kept.take("s", None, now=START)) == ["a", "b"]
    assert kept.take("s", None, now=START) == []


def test_several_are_looked_at_in_turn_and_each_once() -> None:
    kept = Held()
    kept.add(held(f"a{one}", whose=f"s{one}") for one in range(3))
    kept.look_at_all()
    assert kept.pop_looks(START, count=2) == ["s0", "s1"]
    assert kept.pop_looks(START, count=2) == ["s2"]
    assert kept.pop_looks(START, count=2) == []
    kept.look_again("s1")
    kept.look_again("nobody")
    assert kept.pop_looks(START, count=2) == ["s1"]


def test_a_look_that_came_too_late_is_none() -> None:
    kept = Held()
    kept.add([held("a")])
    kept.pop_looks(START, count=1)
    kept.take("s", DAILY, now=START)
    kept.look_again("s")  # and so before eight
    assert kept.pop_looks(EIGHT, count=9) == ["s"]
    assert kept.next_look() is None


def test_members_of_a_digest_are_not_held_until_it_is_over() -> None:
    kept = Held()
    kept.bind("d", ["a", "b"])
    kept.add([held("a"), held("c")])
    assert kept.digest_of("a") == "d"
    assert kept.digest_of("c") == ""
    assert names(kept.take("s", None, now=START)) == ["c"]
    kept.unbind(["a", "b", "c"])
    kept.add([held("a")])
    assert names(kept.take("s", None, now=START)) == ["a"]


def test_shards_that_go_are_forgotten() -> None:
    kept = Held()
    kept.add([held("a"), held("b", shard=1), held("c", whose="other", shard=1)])
    kept.forget({1})
    assert names(kept.take("s", None, now=START)) == ["a"]
    assert kept.take("other", None, now=START) == []
    assert kept.remove(["a"], subscription="s") == set()

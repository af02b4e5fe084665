"""What every log promises, whatever it is made of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pytest

from ingest.errors import FencedError, RecordTooLargeError
from ingest.log import MAX_RECORD_BYTES, Commit, Consumer, Log, NewRecord, Partition, Record
from ingest.log import TopicSpec as Spec
from ingest.partitioner import partition_of

PATIENCE_SECONDS = 20.0

MakeLog = Callable[..., Log]
"""The fixture ``make_log``: each call opens the same storage again."""


def records(topic: str, count: int, *, start: int = 0) -> list[NewRecord]:
    return [
        NewRecord(topic=topic, key=f"key {n}", value=f"value {n}".encode())
        for n in range(start, start + count)
    ]


def drain(consumer: Consumer, count: int) -> list[Record]:
    found: list[Record] = []
    until = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count and time.monotonic() < until:
        found += consumer.poll(timeout_seconds=0.3)
    return found


def after(found: Iterable[Record]) -> dict[Partition, int]:
    places: dict[Partition, int] = {}
    for record in found:
        places[record.partition] = max(places.get(record.partition, 0), record.offset + 1)
    return places


def values(found: Iterable[Record]) -> list[bytes | None]:
    return [record.value for record in found]


def test_ends_are_those_of_the_bounds(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, partitions=3)])
    places = [Partition(topic, number) for number in range(3)]
    log.append(records(topic, 20))
    assert log.ends(places) == {one: log.bounds(one)[1] for one in places}
    assert sum(log.ends(places).values()) == 20
    assert log.ends([]) == {}


def test_what_is_appended_is_read_back_in_order(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, partitions=3)])
    before = datetime.now(UTC) - timedelta(seconds=5)
    offsets = log.append(records(topic, 50))
    assert len(offsets) == 50
    found = [r for n in range(3) for r in log.read(Partition(topic, n), 0)]
    assert sorted(found, key=lambda r: int(r.key[4:])) == [
        Record(
            partition=Partition(topic, partition_of(f"key {n}", 3)),
            offset=offsets[n],
            key=f"key {n}",
            value=f"value {n}".encode(),
            appended=next(r.appended for r in found if r.key == f"key {n}"),
        )
        for n in range(50)
    ]
    for n in range(3):
        mine = [r.offset for r in found if r.partition.number == n]
        assert mine == sorted(set(mine))
        assert log.bounds(Partition(topic, n))[1] > mine[-1]
    assert all(before < r.appended < before + timedelta(minutes=5) for r in found)


def test_a_read_ends_after_the_records_asked_for(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    log.append(records(topic, 10))
    found = log.read(Partition(topic), 4, max_records=3)
    assert values(found) == [b"value 4", b"value 5", b"value 6"]
    assert log.read(Partition(topic), 10) == []


def test_empty_values_and_keys_are_not_the_absence_of_a_value(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    given: list[tuple[str, bytes | None]] = [("k", None), ("k", b""), ("", b"x"), ("ключ", b"\0")]
    log.append([NewRecord(topic=topic, key=key, value=value) for key, value in given])
    assert [(r.key, r.value) for r in log.read(Partition(topic), 0)] == given


def test_a_record_above_the_limit_is_refused_with_all_that_came_with_it(
    log: Log, topic: str
) -> None:
    log.ensure_topics([Spec(name=topic)])
    large = NewRecord(topic=topic, key="k", value=b"x" * MAX_RECORD_BYTES)
    with pytest.raises(RecordTooLargeError):
        log.append([*records(topic, 2), large])
    assert log.bounds(Partition(topic)) == (0, 0)
    log.append([NewRecord(topic=topic, key="k", value=b"x" * (MAX_RECORD_BYTES - 1))])


def test_the_order_of_a_key_is_kept_across_appends(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, partitions=4)])
    for n in range(20):
        log.append([NewRecord(topic=topic, key="same", value=b"%d" % n)])
    found = log.read(Partition(topic, partition_of("same", 4)), 0)
    assert values(found) == [b"%d" % n for n in range(20)]


def test_what_many_threads_submit_is_all_there_once(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    futures: list[Future[list[int]]] = []

    def submit(who: int) -> None:
        futures.extend(
            log.submit([NewRecord(topic=topic, key=f"{who}", value=b"%d" % n)]) for n in range(50)
        )

    threads = [threading.Thread(target=submit, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    offsets = [offset for future in futures for offset in future.result(PATIENCE_SECONDS)]
    assert len(set(offsets)) == 200
    found = log.read(Partition(topic), 0)
    for who in range(4):
        assert [int(r.value or b"") for r in found if r.key == f"{who}"] == list(range(50))


def test_a_record_may_name_its_partition(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, partitions=4)])
    log.append([NewRecord(topic=topic, key="k", value=b"v", partition=n) for n in (3, 1)])
    assert [len(log.read(Partition(topic, n), 0)) for n in range(4)] == [0, 1, 0, 1]


def test_topics_can_be_ensured_again_and_never_shrink(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, partitions=3)])
    log.append(records(topic, 3))
    log.ensure_topics([Spec(name=topic, partitions=2, retention_days=7)])
    assert log.partitions(topic) == 3
    assert sum(len(log.read(Partition(topic, n), 0)) for n in range(3)) == 3


def test_a_log_that_is_opened_again_has_everything_and_is_still_the_same(
    make_log: MakeLog, topic: str
) -> None:
    log = make_log()
    log.ensure_topics([Spec(name=topic, compacted=True), Spec(name="stories")])
    log.append(records(topic, 5), commit=Commit(group=topic, offsets={Partition(topic): 3}))
    identity = log.identity()
    log.close()
    log = make_log()
    assert log.identity() == identity
    assert len(log.read(Partition(topic), 0)) == 5
    assert log.committed(topic, Partition(topic)) == 3
    assert log.append(records(topic, 1)) == [5]
    newest = log.table(topic).get("key 0")
    assert newest is not None
    assert newest.offset == 5


def test_what_was_not_committed_is_delivered_again(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, partitions=2)])
    log.append(records(topic, 30))
    consumer = log.consumer(topic, [topic])
    first = drain(consumer, 30)
    consumer.close()
    consumer = log.consumer(topic, [topic])
    second = drain(consumer, 30)
    assert set(values(first)) == set(values(second)) == {f"value {n}".encode() for n in range(30)}
    consumer.commit(after(second))
    consumer.close()
    log.append([NewRecord(topic=topic, key="z", value=b"new")])
    consumer = log.consumer(topic, [topic])
    assert values(drain(consumer, 1)) == [b"new"]
    consumer.close()


def test_groups_do_not_disturb_each_other(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    log.append(records(topic, 10))
    for group in (f"{topic}-a", f"{topic}-b"):
        consumer = log.consumer(group, [topic])
        found = drain(consumer, 10)
        assert len(found) == 10
        consumer.commit(after(found))
        assert log.committed(group, Partition(topic)) == 10
        consumer.close()
    assert log.committed(f"{topic}-c", Partition(topic)) is None


def test_one_consumer_can_read_several_topics(log: Log, topic: str) -> None:
    other = f"{topic}-other"
    log.ensure_topics([Spec(name=topic), Spec(name=other)])
    log.append(records(topic, 3) + records(other, 3))
    consumer = log.consumer(topic, [topic, other])
    assert {r.partition.topic for r in drain(consumer, 6)} == {topic, other}
    consumer.close()


def settle(shares: Mapping[Consumer, int]) -> None:
    """Poll until each consumer has as many partitions as it should."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        threads = [
            threading.Thread(target=consumer.poll, kwargs={"timeout_seconds": 0.1})
            for consumer in shares
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if all(len(consumer.assignment()) == count for consumer, count in shares.items()):
            return
    pytest.fail(f"{[sorted(consumer.assignment()) for consumer in shares]}")


def test_members_share_the_partitions_and_take_over_from_one_that_leaves(
    log: Log, topic: str
) -> None:
    log.ensure_topics([Spec(name=topic, partitions=4)])
    first = log.consumer(topic, [topic])
    settle({first: 4})
    second = log.consumer(topic, [topic])
    settle({first: 2, second: 2})
    assert not first.assignment() & second.assignment()
    second.close()
    settle({first: 4})
    first.close()


def test_the_new_owner_goes_on_where_the_last_one_committed(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    log.append(records(topic, 10))
    first = log.consumer(topic, [topic])
    found = drain(first, 10)
    first.commit({Partition(topic): found[5].offset})
    first.close()
    second = log.consumer(topic, [topic])
    assert values(drain(second, 5)) == values(found[5:])
    second.close()


def test_a_member_that_lost_its_partitions_cannot_commit(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    log.append(records(topic, 3))
    zombie = log.consumer(topic, [topic])
    found = drain(zombie, 3)
    zombie.close()
    owner = log.consumer(topic, [topic])
    assert len(drain(owner, 3)) == 3
    with pytest.raises(FencedError):
        zombie.commit(after(found))
    assert log.committed(topic, Partition(topic)) is None
    owner.commit(after(found))
    owner.close()


def test_a_consumer_can_seek_back_and_forth(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    log.append(records(topic, 10))
    consumer = log.consumer(topic, [topic])
    drain(consumer, 10)
    consumer.seek(Partition(topic), 7)
    assert [r.offset for r in drain(consumer, 3)] == [7, 8, 9]
    consumer.close()


def test_a_group_is_moved_only_while_nobody_reads_for_it(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    log.append(records(topic, 10))
    consumer = log.consumer(topic, [topic])
    consumer.commit(after(drain(consumer, 10)))
    with pytest.raises(FencedError):
        log.reset_group(topic, {Partition(topic): 4})
    consumer.close()
    log.reset_group(topic, {Partition(topic): 4})
    assert log.committed(topic, Partition(topic)) == 4
    consumer = log.consumer(topic, [topic])
    assert [r.offset for r in drain(consumer, 6)] == [4, 5, 6, 7, 8, 9]
    consumer.close()


def test_a_moment_leads_to_the_first_offset_appended_at_it_or_later(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    for n in range(4):
        log.append(records(topic, 2, start=2 * n))
        time.sleep(0.005)
    place = Partition(topic)
    found = log.read(place, 0)
    for record in found:
        expected = min(r.offset for r in found if r.appended >= record.appended)
        assert log.offset_at(place, record.appended) == expected
    assert log.offset_at(place, found[0].appended - timedelta(days=1)) == 0
    assert log.offset_at(place, found[-1].appended + timedelta(days=1)) == 8


def test_lag_counts_what_was_not_polled_yet(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    consumer = log.consumer(topic, [topic])
    log.append(records(topic, 7))
    drain(consumer, 7)
    assert consumer.lag() == 0
    log.append(records(topic, 3))
    assert consumer.lag() == 3
    consumer.close()


def test_a_poll_that_waits_wakes_when_something_is_appended(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    consumer = log.consumer(topic, [topic])
    consumer.poll(timeout_seconds=0.3)
    timer = threading.Timer(0.2, log.append, [records(topic, 1)])
    begun = time.monotonic()
    timer.start()
    found = consumer.poll(timeout_seconds=PATIENCE_SECONDS)
    assert values(found) == [b"value 0"]
    assert time.monotonic() - begun < PATIENCE_SECONDS / 2
    timer.join()
    consumer.close()


def test_a_poll_returns_empty_when_its_time_is_over(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic)])
    consumer = log.consumer(topic, [topic])
    begun = time.monotonic()
    assert consumer.poll(timeout_seconds=0.2) == []
    assert time.monotonic() - begun >= 0.2
    consumer.close()


def test_a_sink_with_a_checkpoint_of_its_own_seeks_at_every_assignment(
    log: Log, topic: str
) -> None:
    log.ensure_topics([Spec(name=topic, partitions=4)])
    log.append(records(topic, 40))
    places = [Partition(topic, n) for n in range(4)]
    last = {place: log.bounds(place)[1] - 1 for place in places}
    seen: list[frozenset[Partition]] = []

    def on_assign(given: frozenset[Partition]) -> Mapping[Partition, int]:
        seen.append(given)
        return {place: last[place] for place in given}

    for turn in (1, 2):
        consumer = log.consumer(topic, [topic], on_assign=on_assign)
        assert {r.partition: r.offset for r in drain(consumer, 4)} == last
        assert len(seen) >= turn
        assert frozenset().union(*seen) == frozenset(places)
        consumer.close()


def test_a_compacted_topic_is_a_table_of_the_last_values(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, compacted=True, partitions=2)])
    for n in range(3):
        log.append([NewRecord(topic=topic, key=key, value=b"%d" % n) for key in ("b/1", "a/2")])
    log.append(
        [
            NewRecord(topic=topic, key="b/2", value=b"x"),
            NewRecord(topic=topic, key="b/1", value=None),
            NewRecord(topic=topic, key="b/0", value=b""),
        ]
    )
    table = log.table(topic)
    newest = table.get("a/2")
    assert newest is not None
    assert newest.value == b"2"
    assert newest.partition == Partition(topic, partition_of("a/2", 2))
    assert table.get("b/1") is None
    assert table.get("never") is None
    assert [(r.key, r.value) for r in table.items()] == [
        ("a/2", b"2"),
        ("b/0", b""),
        ("b/2", b"x"),
    ]
    assert [r.key for r in table.items("b/")] == ["b/0", "b/2"]
    asked = ["b/1", "never", "b/0", "a/2", "b/0"]
    assert table.many(asked) == {key: table.get(key) for key in ("a/2", "b/0")}
    assert table.many([]) == {}


def test_a_table_of_many_keys_is_listed_whole_and_in_order(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, compacted=True)])
    log.append([NewRecord(topic=topic, key=f"{n % 7}/{n:05}", value=b"v") for n in range(2_000)])
    keys = [r.key for r in log.table(topic).items("3/")]
    assert keys == [f"3/{n:05}" for n in range(2_000) if n % 7 == 3]
    assert sum(1 for _ in log.table(topic).items()) == 2_000
    every = [f"{n % 7}/{n:05}" for n in range(1_500)]
    assert sorted(log.table(topic).many({*every, "none"})) == sorted(every)


def test_an_append_can_store_the_groups_place_with_it(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic), Spec(name=f"{topic}-out")])
    log.append(records(topic, 5))
    consumer = log.consumer(topic, [topic])
    found = drain(consumer, 5)
    made = [NewRecord(topic=f"{topic}-out", key=r.key, value=r.value) for r in found]
    log.append(made, commit=Commit(group=topic, offsets=after(found)))
    assert log.committed(topic, Partition(topic)) == 5
    assert values(log.read(Partition(f"{topic}-out"), 0)) == values(found)
    consumer.close()


def test_compaction_keeps_the_last_record_of_each_key_and_its_offset(log: Log, topic: str) -> None:
    log.ensure_topics([Spec(name=topic, compacted=True)])
    for n in range(5):
        log.append([NewRecord(topic=topic, key=key, value=b"%d" % n) for key in ("a", "b")])
    log.sweep()
    place = Partition(topic)
    newest = {r.key: r for r in log.read(place, 0)}
    assert {key: (r.value, r.offset) for key, r in newest.items()} == {
        "a": (b"4", 8),
        "b": (b"4", 9),
    }
    assert log.bounds(place)[1] == 10
    assert log.append([NewRecord(topic=topic, key="c", value=b"5")]) == [10]

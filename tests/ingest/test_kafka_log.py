"""What the Kafka log promises beyond the contract of every log; most against a real broker."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from uuid import uuid4

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import MessageSizeTooLargeError

from deploy.servers.kafka import KafkaServer
from ingest.errors import (
    FencedError,
    ForeignStoreError,
    MalformedRecordError,
    NotFoundError,
    RecordTooLargeError,
    StoreError,
    UnavailableError,
)
from ingest.kafka_clients import client_options
from ingest.kafka_consumer import KafkaMember
from ingest.kafka_log import KafkaLog
from ingest.kafka_producer import _Sending
from ingest.kafka_settings import KafkaSettings
from ingest.log import Commit, NewRecord, Partition, Record, TopicSpec, topic_specs

PREFIX = "log-tests."
PATIENCE_SECONDS = 20.0

OpenLog = Callable[..., KafkaLog]


@pytest.fixture
def open_log(kafka: str) -> Iterator[OpenLog]:
    """Opens a log on the shared broker, with changed settings."""
    opened: list[KafkaLog] = []

    def make(**changes: object) -> KafkaLog:
        settings = KafkaSettings(bootstrap=kafka, prefix=PREFIX, session_seconds=2)
        opened.append(KafkaLog(replace(settings, **changes)))  # type: ignore[arg-type]  # by name
        return opened[-1]

    yield make
    for log in opened:
        log.close()


@pytest.fixture
def log(open_log: OpenLog) -> KafkaLog:
    return open_log()


@pytest.fixture
def topic() -> str:
    """A name that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def admin(kafka: str) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=kafka)
    yield client
    client.close()


def new(topic: str, value: bytes | None = b"v", key: str = "k") -> NewRecord:
    return NewRecord(topic=topic, key=key, value=value)


def noise(count: int) -> bytes:
    """Bytes that no codec makes smaller."""
    return random.Random(count).randbytes(count)


def configure(admin: KafkaAdminClient, topic: str, configs: Mapping[str, str]) -> None:
    """Change a topic behind the log's back."""
    resource = ConfigResource(ConfigResourceType.TOPIC, PREFIX + topic, configs=dict(configs))
    admin.alter_configs([resource])


def configured(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, PREFIX + topic)
    found = admin.describe_configs([resource], config_filter="all")["topic"][PREFIX + topic]
    return {name: one["value"] for name, one in found.items()}


def within(seconds: float, what: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.05)
    return False


def drain(member: KafkaMember, count: int, seconds: float = PATIENCE_SECONDS) -> list[Record]:
    found: list[Record] = []
    until = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        found += member.poll(timeout_seconds=0.2)
    return found


def owns(member: KafkaMember, count: int) -> Callable[[], bool]:
    def ask() -> bool:
        member.poll(timeout_seconds=0.1)
        return len(member.assignment()) == count

    return ask


def share(first: KafkaMember, second: KafkaMember) -> None:
    """Poll both until each has one partition."""
    thread = threading.Thread(target=within, args=(PATIENCE_SECONDS, owns(second, 1)))
    thread.start()
    assert within(PATIENCE_SECONDS, owns(first, 1))
    thread.join()
    assert len(first.assignment() | second.assignment()) == 2


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# Settings and errors, which need no broker


def test_f36_a_broker_that_is_not_there_is_a_sentence_within_five_seconds() -> None:
    address = f"127.0.0.1:{free_port()}"
    begun = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        KafkaLog(KafkaSettings(bootstrap=address))
    assert time.monotonic() - begun < 5
    assert caught.value.sentence == f"Kafka is not reachable at {address}."
    assert 'backend = "sqlite"' in caught.value.hint
    assert caught.value.retry


def test_f36_a_broker_that_is_not_there_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with pytest.raises(UnavailableError):
        KafkaLog(KafkaSettings(bootstrap=f"127.0.0.1:{free_port()}", connect_seconds=0.5))
    assert within(5, lambda: threading.active_count() <= before)


def test_f36_a_host_that_takes_the_call_and_says_nothing_is_a_sentence_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(UnavailableError):
            KafkaLog(KafkaSettings(bootstrap=address))
        assert time.monotonic() - begun < 5


def test_without_tls_and_login_no_word_of_either_reaches_the_client() -> None:
    options = client_options(KafkaSettings(ca_file="ca.pem", sasl_user="wire"))
    assert options["security_protocol"] == "PLAINTEXT"
    assert not [name for name in options if name.startswith(("ssl", "sasl"))]


def test_every_broker_named_is_tried_and_none_for_long() -> None:
    options = client_options(KafkaSettings(bootstrap="one:9092, two:9093"))
    assert options["bootstrap_servers"] == ["one:9092", "two:9093"]
    assert options["reconnect_backoff_max_ms"] == 1_000


# Topics


def test_the_topics_of_the_product_can_be_made(open_log: OpenLog) -> None:
    log = open_log(prefix=f"{PREFIX}{uuid4().hex[:8]}.")
    log.ensure_topics(topic_specs())
    log.ensure_topics(topic_specs(articles_days=0))
    assert log.partitions("tagged") == 1
    assert log.table("stories").get("none") is None


def test_what_a_topic_should_be_reaches_the_broker(
    log: KafkaLog, topic: str, admin: KafkaAdminClient
) -> None:
    days = f"{topic}-days"
    log.ensure_topics([TopicSpec(name=topic, compacted=True), TopicSpec(name=days)])
    assert configured(admin, topic)["cleanup.policy"] == "compact"
    assert configured(admin, days)["cleanup.policy"] == "delete"
    assert configured(admin, days)["retention.ms"] == "-1"
    assert configured(admin, days)["message.timestamp.type"] == "LogAppendTime"
    log.ensure_topics([TopicSpec(name=days, retention_days=2, partitions=3)])
    assert configured(admin, days)["retention.ms"] == str(2 * 24 * 3600 * 1000)
    assert log.partitions(days) == 3
    log.append([NewRecord(topic=days, key="k", value=b"v", partition=2)])
    assert len(log.read(Partition(days, 2), 0)) == 1


def test_a_topic_cannot_change_whether_it_is_compacted(log: KafkaLog, topic: str) -> None:
    log.ensure_topics([TopicSpec(name=topic)])
    with pytest.raises(StoreError, match="compacted"):
        log.ensure_topics([TopicSpec(name=topic, compacted=True)])


def test_what_is_not_there_is_refused_at_once(log: KafkaLog, topic: str) -> None:
    begun = time.monotonic()
    with pytest.raises(NotFoundError):
        log.append([new(topic)])
    with pytest.raises(NotFoundError):
        log.consumer(topic, [topic]).poll()
    log.ensure_topics([TopicSpec(name=topic)])
    with pytest.raises(NotFoundError):
        log.read(Partition(topic, 1), 0)
    with pytest.raises(NotFoundError):
        log.append([NewRecord(topic=topic, key="k", value=b"v", partition=1)])
    assert time.monotonic() - begun < 5


# Appending


def test_a_record_that_the_broker_refuses_spoils_nothing_else(
    log: KafkaLog, topic: str, admin: KafkaAdminClient
) -> None:
    other = f"{topic}-other"
    log.ensure_topics([TopicSpec(name=topic), TopicSpec(name=other)])
    log.append([new(topic), new(other)])
    configure(admin, topic, {"max.message.bytes": "2000"})
    with pytest.raises(RecordTooLargeError):
        log.append([new(topic, noise(50_000))])
    assert log.append([new(other), new(topic)]) == [1, 1]


def test_a_refusal_is_told_to_nobody_else(
    log: KafkaLog, topic: str, admin: KafkaAdminClient
) -> None:
    other = f"{topic}-other"
    log.ensure_topics([TopicSpec(name=topic), TopicSpec(name=other)])
    configure(admin, topic, {"max.message.bytes": "2000"})
    refused = log.submit([new(topic, noise(50_000))])
    others = []
    for n in range(500):  # before and while the refusal comes back
        others.append(log.submit([new(other, b"%d" % n)]))
        time.sleep(0.0002)
    with pytest.raises(RecordTooLargeError):
        refused.result(PATIENCE_SECONDS)
    errors = [one.exception(PATIENCE_SECONDS) for one in others]
    assert all(error is None or isinstance(error, UnavailableError) for error in errors)
    assert log.append([new(other)])


def test_only_the_first_failure_of_a_spoiled_producer_is_a_refusal(log: KafkaLog) -> None:
    producer, spoiled = log._producer, log._producer._producer
    first, second = _Sending(1), _Sending(1)
    producer._failed(first, MessageSizeTooLargeError(), spoiled)
    producer._failed(second, MessageSizeTooLargeError(), spoiled)  # as every later one fails
    assert isinstance(first.future.exception(0), RecordTooLargeError)
    assert isinstance(second.future.exception(0), UnavailableError)


def test_a_batch_that_had_to_be_split_is_acknowledged_whole(
    open_log: OpenLog, topic: str, admin: KafkaAdminClient
) -> None:
    log = open_log()
    log.ensure_topics([TopicSpec(name=topic)])
    configure(admin, topic, {"max.message.bytes": "50000"})
    offsets = log.append([new(topic, noise(1_000 + n)) for n in range(300)])
    assert sorted(offsets) == list(range(300))
    log.close()
    assert open_log().bounds(Partition(topic)) == (0, 300)


def test_a_key_that_is_not_text_is_refused_before_it_is_sent(log: KafkaLog, topic: str) -> None:
    log.ensure_topics([TopicSpec(name=topic)])
    with pytest.raises(MalformedRecordError):
        log.append([new(topic), new(topic, key="\ud800")])
    assert log.bounds(Partition(topic)) == (0, 0)


def test_what_is_stored_is_compressed(log: KafkaLog, topic: str, admin: KafkaAdminClient) -> None:
    log.ensure_topics([TopicSpec(name=topic)])
    log.append([new(topic, b"news " * 100_000)])
    (broker,) = admin.describe_log_dirs()
    sizes = [
        part["partition_size"]
        for folder in broker["log_dirs"]
        for one in folder["topics"]
        if one["name"] == PREFIX + topic
        for part in one["partitions"]
    ]
    assert sizes
    assert 0 < sizes[0] < 5_000


def test_a_commit_that_is_fenced_appends_nothing(log: KafkaLog, topic: str) -> None:
    log.ensure_topics([TopicSpec(name=topic)])
    log.append([new(topic)])
    member = log.consumer(topic, [topic])
    assert len(drain(member, 1)) == 1
    with pytest.raises(FencedError):
        log.append([new(topic)], commit=Commit(group=topic, offsets={Partition(topic): 2}))
    assert log.bounds(Partition(topic)) == (0, 1)


def test_records_come_before_the_offset_that_says_so(open_log: OpenLog, topic: str) -> None:
    log, elsewhere = open_log(), open_log()
    log.ensure_topics([TopicSpec(name=topic)])
    log.append([new(topic)])
    assert len(drain(log.consumer(topic, [topic]), 1)) == 1
    with pytest.raises(FencedError):  # its live member is in another process
        elsewhere.append([new(topic)], commit=Commit(group=topic, offsets={Partition(topic): 1}))
    assert log.bounds(Partition(topic)) == (0, 2)
    assert log.committed(topic, Partition(topic)) is None


# Groups


def test_new_partitions_are_taken_over_on_the_thread_that_polls(log: KafkaLog, topic: str) -> None:
    log.ensure_topics([TopicSpec(name=topic, partitions=2)])
    log.append([NewRecord(topic=topic, key="k", value=b"v", partition=n) for n in (0, 1)])
    asked: list[tuple[threading.Thread, Mapping[object, int]]] = []

    def on_assign(parts: frozenset[Partition]) -> Mapping[Partition, int]:
        client = member._client
        assert client is not None
        places = [member._shell.names.place(part) for part in parts]
        asked.append((threading.current_thread(), client.end_offsets(places, timeout_ms=5_000)))
        return {}

    member = log.consumer(topic, [topic], on_assign=on_assign)
    assert len(drain(member, 2)) == 2
    assert [(thread, set(ends.values())) for thread, ends in asked] == [
        (threading.current_thread(), {1})
    ]


def test_a_start_is_asked_for_again_where_it_could_not_be_told(log: KafkaLog, topic: str) -> None:
    log.ensure_topics([TopicSpec(name=topic)])
    log.append([new(topic, b"%d" % n) for n in range(3)])
    answers: list[Mapping[Partition, int] | Exception] = [
        UnavailableError("not now"),
        {Partition(topic): 2},
    ]

    def on_assign(_: frozenset[Partition]) -> Mapping[Partition, int]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    member = log.consumer(topic, [topic], on_assign=on_assign)

    def fails() -> bool:
        try:
            return bool(member.poll(timeout_seconds=0.1))
        except UnavailableError:
            return True

    assert within(PATIENCE_SECONDS, fails)
    assert [record.offset for record in drain(member, 1)] == [2]


def test_a_live_member_cannot_commit_what_another_owns(open_log: OpenLog, topic: str) -> None:
    log, elsewhere = open_log(), open_log()
    log.ensure_topics([TopicSpec(name=topic, partitions=2)])
    log.append([NewRecord(topic=topic, key="k", value=b"v", partition=n) for n in (0, 1)])
    first, second = log.consumer(topic, [topic]), elsewhere.consumer(topic, [topic])
    share(first, second)
    (theirs,) = second.assignment()
    second.commit({theirs: 1})
    with pytest.raises(FencedError):
        first.commit({theirs: 0})
    with pytest.raises(FencedError):
        first.seek(theirs, 0)
    assert log.committed(topic, theirs) == 1
    with pytest.raises(FencedError):
        open_log().reset_group(topic, {theirs: 0})


def test_f58_a_member_that_stalled_is_fenced_once_it_wakes(open_log: OpenLog, topic: str) -> None:
    log, elsewhere = open_log(poll_seconds=2), open_log()
    log.ensure_topics([TopicSpec(name=topic)])
    log.append([new(topic)])
    stalled = log.consumer(topic, [topic])
    assert len(drain(stalled, 1)) == 1
    time.sleep(2.5)
    owner = elsewhere.consumer(topic, [topic])
    assert len(drain(owner, 1)) == 1
    with pytest.raises(FencedError):
        stalled.commit({Partition(topic): 1})
    owner.commit({Partition(topic): 1})
    assert log.committed(topic, Partition(topic)) == 1


def test_work_in_hand_is_committed_while_the_group_is_being_spread(
    open_log: OpenLog, topic: str
) -> None:
    log, elsewhere = open_log(), open_log()
    log.ensure_topics([TopicSpec(name=topic, partitions=2)])
    first = log.consumer(topic, [topic])
    assert within(PATIENCE_SECONDS, owns(first, 2))
    second = elsewhere.consumer(topic, [topic])
    stop = threading.Event()

    def join() -> None:
        while not stop.is_set():
            second.poll(timeout_seconds=0.05)

    thread = threading.Thread(target=join)
    thread.start()
    fenced = 0
    until = time.monotonic() + PATIENCE_SECONDS
    while len(second.assignment()) < 1 and time.monotonic() < until:
        first.poll(timeout_seconds=0)  # joins in the background
        try:
            first.commit(dict.fromkeys(first.assignment(), 0))
        except FencedError:
            fenced += 1
        time.sleep(0.02)
    (mine,) = first.assignment()
    first.commit({mine: 0})
    stop.set()
    thread.join()
    assert fenced <= 1  # the partition that really went


def test_a_worker_with_a_lasting_name_takes_its_partitions_back_at_once(
    open_log: OpenLog, topic: str
) -> None:
    log = open_log(member="one", session_seconds=20)
    log.ensure_topics([TopicSpec(name=topic, partitions=2)])
    log.append([NewRecord(topic=topic, key="k", value=b"v", partition=n) for n in (0, 1)])
    crashed = log.consumer(topic, [topic])
    assert len(drain(crashed, 2)) == 2
    begun = time.monotonic()
    restarted = open_log(member="one", session_seconds=20).consumer(topic, [topic])
    assert len(drain(restarted, 2)) == 2
    assert time.monotonic() - begun < 5
    restarted.commit({Partition(topic, 0): 1})
    with pytest.raises(FencedError):
        crashed.commit({Partition(topic, 0): 0})
    with pytest.raises(FencedError):  # kafka-python would go on giving records
        crashed.poll()
    crashed.close()
    log.append([NewRecord(topic=topic, key="k", value=b"more", partition=0)])
    assert len(drain(restarted, 1)) == 1
    restarted.commit({Partition(topic, 0): 2})


def test_a_worker_with_a_lasting_name_leaves_at_once_when_it_is_closed(
    open_log: OpenLog, topic: str
) -> None:
    log = open_log(member="two", session_seconds=30)
    log.ensure_topics([TopicSpec(name=topic)])
    member = log.consumer(topic, [topic])
    assert within(PATIENCE_SECONDS, owns(member, 1))
    member.close()
    begun = time.monotonic()
    other = open_log(member="other", session_seconds=30).consumer(topic, [topic])
    assert within(PATIENCE_SECONDS, owns(other, 1))
    assert time.monotonic() - begun < 5


def test_f59_a_log_that_ends_before_what_was_read_stops_the_stage(
    log: KafkaLog, topic: str
) -> None:
    log.ensure_topics([TopicSpec(name=topic)])
    log.append([new(topic)])
    log.reset_group(topic, {Partition(topic): 99})
    member = log.consumer(topic, [topic])
    with pytest.raises(ForeignStoreError) as caught:
        drain(member, 1)
    assert "older" in caught.value.sentence


def test_f59_a_topic_made_anew_under_a_reader_stops_the_stage(
    open_log: OpenLog, topic: str, admin: KafkaAdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, other = open_log(), open_log()
    log.ensure_topics([TopicSpec(name=topic)])
    log.append([new(topic, b"%d" % n) for n in range(10)])
    monkeypatch.setattr("ingest.kafka_consumer._LOOK_SECONDS", 1.0)
    member = log.consumer(topic, [topic])
    assert len(drain(member, 10)) == 10
    admin.delete_topics([PREFIX + topic])
    assert within(PATIENCE_SECONDS, lambda: PREFIX + topic not in admin.list_topics())
    other.ensure_topics([TopicSpec(name=topic)])
    other.append([new(topic, b"other")])
    with pytest.raises(ForeignStoreError):
        drain(member, 1)


def test_a_reader_that_hears_nothing_of_what_is_there_joins_anew(
    log: KafkaLog, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.kafka_consumer._LOOK_SECONDS", 1.0)
    log.ensure_topics([TopicSpec(name=topic)])
    member = log.consumer(topic, [topic])
    assert within(PATIENCE_SECONDS, owns(member, 1))
    client = member._client
    assert client is not None
    client.pause(member._shell.names.place(Partition(topic)))  # as deaf as its known defects
    log.append([new(topic)])
    assert len(drain(member, 1)) == 1
    assert member._client is not client


def test_a_member_that_is_closed_while_it_waits_returns_empty(log: KafkaLog, topic: str) -> None:
    log.ensure_topics([TopicSpec(name=topic)])
    member = log.consumer(topic, [topic])
    timer = threading.Timer(0.5, member.close)
    timer.start()
    begun = time.monotonic()
    assert member.poll(timeout_seconds=30) == []
    assert time.monotonic() - begun < 10
    timer.join()


# Tables and compaction


def test_a_table_shows_what_another_process_wrote(open_log: OpenLog, topic: str) -> None:
    log, elsewhere = open_log(), open_log()
    log.ensure_topics([TopicSpec(name=topic, compacted=True)])
    table = log.table(topic)
    assert table.get("k") is None
    for n in range(20):
        (offset,) = elsewhere.append([new(topic, b"%d" % n)])
        found = table.get("k")
        assert found is not None
        assert (found.value, found.offset) == (b"%d" % n, offset)
    elsewhere.append([new(topic, None)])
    assert table.get("k") is None
    assert list(table.items()) == []


def test_a_table_has_the_partitions_that_came_later(log: KafkaLog, topic: str) -> None:
    log.ensure_topics([TopicSpec(name=topic, compacted=True)])
    log.append([new(topic, b"1", key="a")])
    table = log.table(topic)
    assert [record.key for record in table.items()] == ["a"]
    assert log.bounds(Partition(topic, 0)) == (0, 1)
    log.ensure_topics([TopicSpec(name=topic, compacted=True, partitions=2)])
    log.append([NewRecord(topic=topic, key="b", value=b"2", partition=1)])
    assert log.bounds(Partition(topic, 0)) == (0, 1)
    assert log.bounds(Partition(topic, 1)) == (0, 1)
    assert [record.key for record in table.items()] == ["a", "b"]


def test_what_compaction_took_is_no_gap_to_wait_for(
    open_log: OpenLog, topic: str, admin: KafkaAdminClient
) -> None:
    log = open_log()
    log.ensure_topics([TopicSpec(name=topic, compacted=True)])
    quick = {"segment.ms": "500", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "0"}
    configure(admin, topic, quick)
    for n in range(3):
        log.append([new(topic, b"%d" % n, key=f"{key}") for key in range(50)])
    log.append([new(topic, None, key=f"{key}") for key in range(40)])
    time.sleep(0.7)
    log.append([new(topic, b"last", key="last")])
    place = Partition(topic)

    def compacted() -> bool:
        return len(log.read(place, 0)) < 191

    assert within(30, compacted)
    begun = time.monotonic()
    keys = {f"{key}" for key in range(40, 50)} | {"last"}
    assert keys <= {record.key for record in log.read(place, 0) if record.value is not None}
    assert {record.key for record in open_log().table(topic).items()} == keys
    member = log.consumer(topic, [topic])
    found = drain(member, 11)
    while more := member.poll(timeout_seconds=0.3):
        found += more
    assert found[-1].key == "last"
    assert member.lag() == 0
    assert time.monotonic() - begun < 10


# Health and the end


def test_health_names_state_brokers_version_size_and_identity(
    open_log: OpenLog, topic: str
) -> None:
    log = open_log(prefix=f"{PREFIX}{topic}.")
    before = log.health()
    assert (before.get("topics"), before.get("bytes")) == (None, None)
    log.ensure_topics([TopicSpec(name=topic, partitions=2), TopicSpec(name=f"{topic}-2")])
    log.append([new(topic, noise(20_000 + n), key=f"{n}") for n in range(10)])
    facts = log.health()
    assert facts["state"] == "ok"
    assert (facts["brokers"], facts["controller"]) == ("1", "1")
    assert facts["version"].startswith("4.")
    assert facts["topics"] == "2"
    assert 200_000 < int(facts["bytes"]) < 250_000
    assert facts["cluster"]
    assert log.sweep() == 0


def test_a_closed_log_says_so(open_log: OpenLog, topic: str) -> None:
    log = open_log()
    log.ensure_topics([TopicSpec(name=topic, compacted=True)])
    member, table = log.consumer(topic, [topic]), log.table(topic)
    member.poll(timeout_seconds=0.1)
    log.close()
    calls: list[Callable[[], object]] = [
        lambda: log.append([new(topic)]),
        lambda: log.read(Partition(topic), 0),
        member.poll,
        lambda: table.get("k"),
        lambda: log.consumer(topic, [topic]),
    ]
    for call in calls:
        with pytest.raises(UnavailableError):
            call()
    log.close()


def test_a_closed_log_leaves_no_thread_behind(open_log: OpenLog, topic: str) -> None:
    before = threading.active_count()
    log = open_log()
    log.ensure_topics([TopicSpec(name=topic, compacted=True)])
    log.append([new(topic)])
    assert log.table(topic).get("k") is not None
    assert drain(log.consumer(topic, [topic]), 1)
    log.close()
    assert within(5, lambda: threading.active_count() <= before)


def test_closing_finishes_what_was_submitted(open_log: OpenLog, topic: str) -> None:
    log = open_log()
    log.ensure_topics([TopicSpec(name=topic)])
    futures = [log.submit([new(topic, b"%d" % n)]) for n in range(200)]
    log.close()
    assert [future.result(0) for future in futures] == [[n] for n in range(200)]


# A broker that dies


def settings_of(broker: KafkaServer) -> KafkaSettings:
    return KafkaSettings(bootstrap=broker.address, prefix=PREFIX, session_seconds=6)


def test_f37_what_was_acknowledged_survives_a_killed_broker_once_and_in_order(
    mortal_kafka: KafkaServer, topic: str
) -> None:
    log = KafkaLog(settings_of(mortal_kafka))
    log.ensure_topics([TopicSpec(name=topic, partitions=2)])
    futures: list[Future[list[int]]] = []

    def produce() -> None:
        for n in range(0, 4_000, 20):
            made = [new(topic, b"%d" % i + noise(500), key=f"{i % 7}") for i in range(n, n + 20)]
            futures.append(log.submit(made))
            time.sleep(0.01)

    thread = threading.Thread(target=produce)
    thread.start()
    time.sleep(1)
    mortal_kafka.kill()
    time.sleep(1)
    mortal_kafka.start()
    thread.join()
    assert all(future.exception(60) is None for future in futures)
    found = [record for n in (0, 1) for record in everything(log, Partition(topic, n))]
    numbers: dict[str, list[int]] = {key: [] for key in "0123456"}
    for record in found:
        digits = (record.value or b"")[:-500]
        numbers[record.key].append(int(digits))
    assert numbers == {key: list(range(int(key), 4_000, 7)) for key in numbers}
    log.close()


def everything(log: KafkaLog, partition: Partition) -> list[Record]:
    found: list[Record] = []
    while more := log.read(partition, found[-1].offset + 1 if found else 0):
        found += more
    return found


def test_f37_a_reader_waits_for_a_killed_broker_and_goes_on_by_itself(
    mortal_kafka: KafkaServer, topic: str
) -> None:
    quick = replace(settings_of(mortal_kafka), delivery_seconds=3, answer_seconds=2)
    log = KafkaLog(quick)
    log.ensure_topics([TopicSpec(name=topic), TopicSpec(name=f"{topic}-table", compacted=True)])
    log.append([new(topic), new(f"{topic}-table")])
    table = log.table(f"{topic}-table")
    assert table.get("k") is not None
    member = log.consumer(topic, [topic])
    assert len(drain(member, 1)) == 1
    mortal_kafka.kill()
    assert member.poll(timeout_seconds=0.5) == []
    assert log.health()["state"] == f"Kafka is not reachable at {mortal_kafka.address}."
    calls: list[Callable[[], object]] = [
        lambda: member.commit({Partition(topic): 1}),
        lambda: log.bounds(Partition(topic)),
        lambda: log.committed(topic, Partition(topic)),
        lambda: table.get("k"),
        lambda: log.append([new(topic)]),
    ]
    for call in calls:
        begun = time.monotonic()
        with pytest.raises(UnavailableError):
            call()
        assert time.monotonic() - begun < 5
    mortal_kafka.start()
    begun = time.monotonic()
    assert within(20, lambda: log.health()["state"] == "ok")
    assert within(20, lambda: appended(log, topic))
    assert drain(member, 1)
    print(f"first record {time.monotonic() - begun:.1f} s after the broker was back")
    assert time.monotonic() - begun < 10
    assert table.get("k") is not None
    log.close()


def appended(log: KafkaLog, topic: str) -> bool:
    try:
        return bool(log.append([new(topic, b"after")]))
    except UnavailableError:
        return False

"""The Log on Apache Kafka, for many processes on many machines.

Appends are acknowledged once every copy in sync has them. Records come first and the group's
offset after them, so a crash between the two repeats records and never loses one.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime

from kafka import KafkaAdminClient
from kafka import errors as kafka

from ingest.errors import MalformedRecordError, RecordTooLargeError, WirewatchError
from ingest.kafka_clients import opened
from ingest.kafka_consumer import KafkaMember, OnAssign
from ingest.kafka_errors import closed, store_error
from ingest.kafka_groups import Groups
from ingest.kafka_join import Shell
from ingest.kafka_names import Names
from ingest.kafka_producer import Message, Producer
from ingest.kafka_reader import Reader
from ingest.kafka_settings import KafkaSettings
from ingest.kafka_table import KafkaTable
from ingest.kafka_topics import Topics
from ingest.log import MAX_RECORD_BYTES, Commit, NewRecord, Partition, Record, TopicSpec
from ingest.partitioner import partition_of

_LASTING = "stories"
"""The topic that everything else can be made anew from."""


class KafkaLog:
    """``ingest.log.Log`` on the cluster that ``settings`` name; safe to use from any thread.

    Raises:
        UnavailableError: no broker answers within ``connect_seconds``.
        StoreError: Kafka refuses the login or a setting.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._names = Names(settings.prefix)
        self._closed = False
        self._lock = threading.Lock()
        self._tables: dict[str, KafkaTable] = {}
        answer_ms = round(settings.answer_seconds * 1000)
        with ExitStack() as undo:
            self._admin = opened(KafkaAdminClient, settings, request_timeout_ms=answer_ms)
            undo.callback(self._admin.close)
            self._reader = Reader(self._names, settings)
            undo.callback(self._reader.close)
            self._producer = Producer(settings)
            undo.pop_all()
        self._topics = Topics(self._admin, self._names, settings)
        self._groups = Groups(self._admin, self._names, settings)
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="log-committer")

    def ensure_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create what is missing, grow, adopt changed retention; idempotent, never shrinks."""
        self._topics.ensure(specs)

    def append(self, records: Sequence[NewRecord], *, commit: Commit | None = None) -> list[int]:
        """Append all and store ``commit`` after them; the offsets, once acknowledged.

        Raises:
            RecordTooLargeError: nothing was appended.
            UnavailableError: no answer in time; what was under way may still be written.
            FencedError: ``commit`` names a group whose live consumer does not own the partition.
                Nothing was appended, unless that consumer is in another process or lost the
                partition meanwhile.
        """
        return self.submit(records, commit=commit).result()

    def submit(
        self, records: Sequence[NewRecord], *, commit: Commit | None = None
    ) -> Future[list[int]]:
        """As ``append``, without waiting, and with its errors in the future."""
        try:
            if self._closed:
                raise closed()
            messages = [self._checked(record) for record in records]
            if commit is not None:
                self._groups.owner(commit)
        except WirewatchError as error:
            refused: Future[list[int]] = Future()
            refused.set_exception(error)
            return refused
        sent = self._producer.send(messages)
        if commit is None:
            return sent
        return self._committer.submit(self._finished, sent, commit)

    def read(self, partition: Partition, offset: int, *, max_records: int = 500) -> list[Record]:
        """Records from ``offset`` on, without a group; fewer where they are large (16 MB)."""
        self._topics.check(partition)
        return self._reader.fetch(partition, offset, max_records)

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """(first kept offset, next offset to be written)."""
        self._topics.check(partition)
        return self._reader.bounds([partition])[partition]

    def ends(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to be written of each, asked in one go."""
        for partition in partitions:
            self._topics.check(partition)
        return self._reader.ends(partitions) if partitions else {}

    def offset_at(self, partition: Partition, moment: datetime) -> int:
        """The first offset appended at ``moment`` or later; the end where there is none."""
        self._topics.check(partition)
        return self._reader.offset_at(partition, moment)

    def partitions(self, topic: str) -> int:
        """How many partitions ``topic`` has."""
        return self._topics.count(topic)

    def committed(self, group: str, partition: Partition) -> int | None:
        """The group's next offset, or None where it never committed."""
        return self._groups.committed(group).get(partition)

    def reset_group(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Move a group that has no live member. Raises FencedError where it has one."""
        self._groups.reset(group, offsets)

    def consumer(
        self, group: str, topics: Sequence[str], *, on_assign: OnAssign | None = None
    ) -> KafkaMember:
        """Join ``group``; starts at the committed offset, else at the first kept record.

        ``on_assign`` gets the partitions that are new to this member, on the thread that polls.
        """
        if self._closed:
            raise closed()
        shell = Shell(
            settings=self._settings,
            names=self._names,
            reader=self._reader,
            groups=self._groups,
            topics=self._topics,
            is_closed=lambda: self._closed,
        )
        return KafkaMember(shell, group, tuple(topics), on_assign=on_assign)

    def table(self, topic: str) -> KafkaTable:
        """The compacted ``topic`` by key."""
        with self._lock:
            if self._closed:
                raise closed()
            if topic not in self._tables:
                self._tables[topic] = KafkaTable(
                    topic,
                    names=self._names,
                    settings=self._settings,
                    partitions=self._topics.all,
                )
            return self._tables[topic]

    def identity(self) -> str:
        """The id of the topic of stories: the cluster's own may be set, and outlive its data.

        Raises:
            NotFoundError: the topics were not made yet.
        """
        return str(self._topics.id(_LASTING))

    def sweep(self) -> int:
        """Nothing: Kafka applies retention and compaction by itself."""
        return 0

    def expunge(self, topic: str, keys: Collection[str], *, spared: int | None = None) -> int:
        """Nothing: see ``sweep``."""
        del topic, keys, spared
        return 0

    def health(self) -> Mapping[str, str]:
        """Facts for ``doctor``: state, brokers, version, size. Never raises for a cluster away.

        ``state`` is ``ok`` or a sentence; ``bytes`` counts every copy and is absent where this user
        may not ask; ``version`` is the newest that both Kafka and its client know.
        """
        facts = {"bootstrap": self._settings.bootstrap, "clock": "ok"}
        try:
            found = self._admin.describe_cluster()
            if not found["brokers"]:
                return {**facts, "state": "Kafka has no broker at work now.", "brokers": "0"}
            version = self._admin.get_broker_version_data(found["brokers"][0]["broker_id"])
            sizes = self._topics.sizes()
        except (kafka.KafkaError, RuntimeError) as error:
            away = store_error(error, self._settings.bootstrap, "asking for the brokers")
            return {**facts, "state": away.sentence, "brokers": "0"}
        if sizes:
            facts |= {"topics": str(len(sizes)), "bytes": str(sum(sizes.values()))}
        return {
            **facts,
            "state": "ok",
            "cluster": str(found["cluster_id"]),
            "brokers": str(len(found["brokers"])),
            "controller": str(found["controller_id"]),
            "version": ".".join(map(str, version.broker_version)),
        }

    def close(self) -> None:
        """Finish what was submitted, then close; whoever polls gets UnavailableError."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._committer.shutdown(wait=True)
        self._producer.close()
        for table in self._tables.values():
            table.close()
        self._groups.close()
        self._reader.close()
        self._admin.close()

    def _finished(self, sent: Future[list[int]], commit: Commit) -> list[int]:
        offsets = sent.result()
        self._groups.store(commit)
        return offsets

    def _checked(self, record: NewRecord) -> Message:
        """``record`` as Kafka takes it; refused here, since a refusal there spoils a producer."""
        try:
            key = record.key.encode()
        except UnicodeEncodeError as error:
            raise MalformedRecordError(f"key {record.key!r} is not text") from error
        size = len(key) + len(record.value or b"")
        if size > MAX_RECORD_BYTES:
            raise RecordTooLargeError(
                f"{record.topic}/{record.key}: {size} bytes, at most {MAX_RECORD_BYTES}"
            )
        number = record.partition
        if number is None:
            number = partition_of(record.key, self._topics.count(record.topic))
        else:
            self._topics.check(Partition(record.topic, number))
        return Message(
            topic=self._names.topic(record.topic), partition=number, key=key, value=record.value
        )

"""How records get into Kafka: acknowledged by all copies, once, in order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer
from kafka import errors as kafka

from ingest.errors import WirewatchError
from ingest.kafka_clients import opened
from ingest.kafka_errors import closed, store_error, unreachable
from ingest.kafka_settings import KafkaSettings

_BATCH_BYTES = 262_144
"""Well below every topic's limit: a batch above it is split, and ``flush`` then lies."""

_REQUEST_BYTES = 1_000_000
"""A record of 900 kB with its overhead fits; no more than any topic's ``max.message.bytes``."""

_LINGER_MS = 5
"""Batches of many threads fill in that time; ``append`` alone does not feel it."""

_REQUEST_SECONDS = 10.0
"""Then a broker that took a request and says nothing is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A record that passed every check, as Kafka takes it."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


class _Sending:
    """The futures of one append, gathered into one."""

    def __init__(self, count: int) -> None:
        self.future: Future[list[int]] = Future()
        self.future.set_running_or_notify_cancel()  # what is under way cannot be cancelled
        self._offsets = [-1] * count
        self._left = count
        self._error: Exception | None = None
        self._lock = threading.Lock()

    def delivered(self, place: int, metadata: Any) -> None:
        self._offsets[place] = metadata.offset
        self._settle(1)

    def failed(self, error: Exception, count: int = 1) -> None:
        with self._lock:
            self._error = self._error or error
        self._settle(count)

    def _settle(self, count: int) -> None:
        with self._lock:
            self._left -= count
            if self._left:
                return
        if self._error is None:
            self.future.set_result(self._offsets)
        else:
            self.future.set_exception(self._error)


class Producer:
    """A kafka-python producer that is replaced when it is spoiled; safe from any thread.

    kafka-python 3.0.12 fails every later send of an idempotent producer after the broker has
    refused one record, for good and with that record's error; and after it gave up one that it
    had sent before, it sends none any more and says nothing. So any error spoils the producer:
    the append that met it first gets the error, others under way may try again, and the next
    append is made by a new producer.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._gate = threading.Lock()
        self._pending: set[Future[list[int]]] = set()
        self._spoiled: KafkaProducer | None = None
        self._closed = False
        self._producer = _open(settings)

    def send(self, messages: Sequence[Message]) -> Future[list[int]]:
        """The future offsets of ``messages``, once all of them are acknowledged.

        A failure does not say that nothing was written: what timed out may still have been.
        """
        sending = _Sending(len(messages))
        if not messages:
            sending.future.set_result([])
            return sending.future
        with self._gate:  # one append after the other, so that a key's order is the callers'
            if self._closed:
                sending.failed(closed(), len(messages))
                return sending.future
            self._send_all(messages, sending)
            self._pending.add(sending.future)
            sending.future.add_done_callback(self._pending.discard)
        return sending.future

    def close(self) -> None:
        """Wait until what was sent is acknowledged or given up, then close."""
        with self._gate:
            self._closed = True
            pending = list(self._pending)
        wait(pending, timeout=self._settings.delivery_seconds + _REQUEST_SECONDS)
        _close(self._producer)

    def _send_all(self, messages: Sequence[Message], sending: _Sending) -> None:
        try:
            self._know({(message.topic, message.partition) for message in messages})
        except (kafka.KafkaError, WirewatchError) as error:
            sending.failed(self._meaning(error), len(messages))
            return
        for place, message in enumerate(messages):
            try:
                producer = self._usable()
                sent = producer.send(
                    message.topic,
                    key=message.key,
                    value=message.value,
                    partition=message.partition,
                )
            except (kafka.KafkaError, WirewatchError) as error:
                sending.failed(self._meaning(error), len(messages) - place)
                return
            sent.add_callback(lambda metadata, at=place: sending.delivered(at, metadata))
            sent.add_errback(lambda error, by=producer: self._failed(sending, error, by))

    def _know(self, places: set[tuple[str, int]]) -> None:
        """See to it that the producer knows ``places``; a topic may have grown since it looked."""
        producer = self._usable()
        if all(number in producer.partitions_for(topic) for topic, number in places):
            return
        # What is under way first, else a retry of the old producer came after the new one's.
        wait(list(self._pending), timeout=self._settings.delivery_seconds)
        self._spoil(producer)
        fresh = self._usable()
        for topic, number in places:
            if number not in fresh.partitions_for(topic):
                raise unreachable(self._settings.bootstrap, f"{topic} has no {number} yet")

    def _failed(self, sending: _Sending, error: Exception, producer: KafkaProducer) -> None:
        first = producer is self._producer and producer is not self._spoiled
        if first:
            self._spoil(producer)
        if first or isinstance(error, kafka.RetriableError):
            sending.failed(self._meaning(error))
        else:
            sending.failed(unreachable(self._settings.bootstrap, f"sent beside a failure: {error}"))

    def _spoil(self, producer: KafkaProducer) -> None:
        """Use it no more, and end it at once: what is under way in it could wait for ever."""
        self._spoiled = producer
        threading.Thread(target=_close, args=(producer,), daemon=True).start()

    def _meaning(self, error: Exception) -> Exception:
        if isinstance(error, WirewatchError):
            return error
        if isinstance(error, kafka.IllegalStateError):  # it was spoiled and ended while we sent
            return unreachable(self._settings.bootstrap, f"sent beside a failure: {error}")
        return store_error(error, self._settings.bootstrap, "appending")

    def _usable(self) -> KafkaProducer:
        """The producer, or a new one in the place of a spoiled one."""
        if self._producer is self._spoiled:
            self._producer = _open(self._settings)
        return self._producer


def _open(settings: KafkaSettings) -> KafkaProducer:
    delivery_ms = round(settings.delivery_seconds * 1000)
    return opened(
        KafkaProducer,
        settings,
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",  # gzip's size at a thirteenth of its time
        batch_size=_BATCH_BYTES,
        linger_ms=_LINGER_MS,
        max_request_size=_REQUEST_BYTES,
        max_block_ms=round(settings.answer_seconds * 1000),
        request_timeout_ms=min(round(_REQUEST_SECONDS * 1000), delivery_ms - _LINGER_MS),
        delivery_timeout_ms=delivery_ms,
        allow_auto_create_topics=False,
    )


def _close(producer: KafkaProducer) -> None:
    """Close it; what it says then is no news, each future has spoken for itself."""
    try:
        producer.close(timeout=2)
    except kafka.KafkaError:
        return

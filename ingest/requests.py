"""What people and programs ask the owner of a shard to do: the records of ``requests``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

import structlog

from ingest.errors import MalformedRecordError, UnavailableError
from ingest.log import Log, NewRecord, Partition
from ingest.wire import SCHEMA, Time, decode, encode

TOPIC = "requests"

RequestKind = Literal["poll", "retry", "test", "mute", "unmute", "own"]
"""``own`` is no wish: an owner writes it when a shard has come to it (``ingest.shards``).

A backfill is asked for in its subscription's record instead, and so is never missed.
"""

_HEAR_SECONDS = 0.5
"""How long a look waits; a stop waits for it."""

_RETRY_SECONDS = 2.0

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A wish that only the owner of a shard can fulfil.

    Attributes:
        target: What it is about: a feed for ``poll``, an alert or a subscription for the others.
        at: By the clock of who asks; for people. What counts is the log's append time.
        story: What is to be muted, or heard of again.
    """

    kind: RequestKind
    target: str
    at: Time
    story: str = ""
    schema: int = SCHEMA


def request_record(log: Log, request: Request, *, shard: int) -> NewRecord:
    """The record that brings ``request`` to the owner of ``shard``."""
    number = shard % log.partitions(TOPIC)
    return NewRecord(topic=TOPIC, key=request.target, value=encode(request), partition=number)


class RequestReader:
    """Every wish from now on, for whoever may own what it is about. For one thread.

    Each reader is a group of its own, which never commits: all of them see all wishes.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._consumer = log.consumer(f"requests-{uuid4().hex}", [TOPIC], on_assign=self._ends)

    def poll(self, *, timeout_seconds: float) -> list[Request]:
        """The wishes that came; empty at time-out.

        Raises:
            NewerSchemaError: one was made by a newer version.
            UnavailableError: the log does not answer.
        """
        found = []
        for record in self._consumer.poll(timeout_seconds=timeout_seconds):
            try:
                request = decode(Request, record.value or b"")
            except MalformedRecordError as error:
                _events.warning("request refused", key=record.key, reason=error.sentence)
                continue
            if request.kind != "own":
                found.append(request)
        return found

    def hear(
        self,
        tell: Mapping[RequestKind, Callable[[Request], object]],
        *,
        ended: threading.Event,
    ) -> None:
        """Tell of every wish, each kind who wants to know, until ``ended``; then close."""
        try:
            while not ended.is_set():
                try:
                    requests = self.poll(timeout_seconds=_HEAR_SECONDS)
                except UnavailableError as error:  # a wish can be repeated
                    _events.warning("requests wait", reason=error.sentence)
                    ended.wait(_RETRY_SECONDS)
                    continue
                for request in requests:
                    if request.kind in tell:
                        tell[request.kind](request)
        finally:
            self.close()

    def close(self) -> None:
        """Hear no more."""
        self._consumer.close()

    def _ends(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        return {part: self._log.bounds(part)[1] for part in partitions}

"""Tagging in a process of its own: a second processor, and a deadline for hostile texts.

Tagging is half of the work on an article. In a thread it would share one interpreter with every
other stage; here it shares nothing, and a text that takes for ever ends its process, not the
product.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from ingest.errors import MalformedRecordError, UnavailableError
from ingest.sandbox_child import MAX_FRAME_BYTES
from ingest.sandbox_process import EXCHANGE_ERRORS, start_process
from ingest.settings import ParseSettings

TARGET = "processors.tagging_child:answer"
MAX_RECORDS = 40
MAX_BYTES = 256_000
"""A call: 0.1 s of work in both cases, far from any deadline."""

START_SECONDS = 30.0
"""A start takes 0.5 s; this is for a machine that is busy with something else."""

Topics = Sequence[tuple[str, str]]
"""Place and text of every topic file."""

_events = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Child:
    """A started process, the channel to it, and the topics it was told."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    topics: Topics | None = None


class TaggingProcess:
    """Tags runs of records. For one thread; the process starts with the first call."""

    def __init__(self, settings: ParseSettings, *, target: str = TARGET) -> None:
        self._settings = settings
        self._target = target
        self._child: _Child | None = None

    def warm_up(self, topics: Topics) -> None:
        """Start the process before there is work for it, where it can be started now."""
        with contextlib.suppress(UnavailableError):
            self._define(self._child or self._started(), topics)

    def tag(self, values: Sequence[bytes], topics: Topics) -> list[bytes | None]:
        """The ``tagged`` record of each of ``values``; None where ``tag_one`` would say why not.

        Raises:
            UnavailableError: no process can be started now.
        """
        found: list[bytes | None] = []
        for run in _runs(values):
            try:
                found += self._called(run, topics)
            except EXCHANGE_ERRORS as error:
                self.close()
                _events.warning("tagging process ended", records=len(run), reason=repr(error))
                found += [None] * len(run)
        return found

    def tag_one(self, value: bytes, topics: Topics) -> bytes | None:
        """The ``tagged`` record of ``value``; None where tagging it raises an error.

        Raises:
            MalformedRecordError: it took too long, or crashed the process.
            UnavailableError: no process can be started now.
        """
        try:
            return self._called([value], topics)[0]
        except EXCHANGE_ERRORS as error:
            self.close()
            raise MalformedRecordError(
                f"tagging ended with {error!r}",
                sentence=f"Tagging took more than {self._settings.seconds:g} s, or crashed.",
                code="not-tagged",
            ) from error

    def close(self) -> None:
        """End the process; the next call starts another."""
        child, self._child = self._child, None
        if child is not None:
            child.channel.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()

    def _called(self, values: list[bytes], topics: Topics) -> list[bytes | None]:
        child = self._child or self._started()
        if child.topics != topics:
            self._define(child, topics)
        body = b"".join(len(value).to_bytes(4, "big") + value for value in values)
        found = self._exchange(child, {}, body)
        tagged = found["tagged"]
        if len(tagged) != len(values):
            raise ValueError("not one answer for each record")
        return [None if one is None else str(one).encode() for one in tagged]

    def _started(self) -> _Child:
        ours, theirs = socket.socketpair()
        limits = {"seconds": self._settings.seconds, "memory_bytes": self._settings.memory_bytes}
        try:
            with theirs:
                process = start_process(self._target, limits=limits, channel=theirs)
            self._child = child = _Child(process, ours)
            if not _received(ours, time.monotonic() + START_SECONDS).get("ready"):
                raise EOFError("it did not start")
        except EXCHANGE_ERRORS as error:
            ours.close()
            raise self._not_started(error) from error
        return child

    def _define(self, child: _Child, topics: Topics) -> None:
        try:
            self._exchange(child, {"define": True}, json.dumps(topics).encode())
        except EXCHANGE_ERRORS as error:
            raise self._not_started(error) from error
        child.topics = topics

    def _not_started(self, error: Exception) -> UnavailableError:
        self.close()
        return UnavailableError(
            f"no tagging process: {error!r}",
            sentence="The process that tags could not be started.",
            hint="Check memory and process limits of this machine.",
        )

    def _exchange(self, child: _Child, header: dict[str, bool], body: bytes) -> dict[str, Any]:
        until = time.monotonic() + self._settings.seconds
        child.channel.settimeout(self._settings.seconds)
        for frame in (json.dumps(header).encode(), body):
            child.channel.sendall(len(frame).to_bytes(4, "big") + frame)
        found = _received(child.channel, until)
        if "error" in found:
            raise ValueError(str(found["error"])[:500])
        return found


def _runs(values: Sequence[bytes]) -> Iterator[list[bytes]]:
    """``values`` in runs small enough for one call each."""
    run: list[bytes] = []
    for value in values:
        if run and (len(run) == MAX_RECORDS or sum(map(len, run)) + len(value) > MAX_BYTES):
            yield run
            run = []
        run.append(value)
    if run:
        yield run


def _received(channel: socket.socket, until: float) -> dict[str, Any]:
    length = int.from_bytes(_exactly(channel, 4, until), "big")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"frame of {length} bytes")
    found = json.loads(_exactly(channel, length, until))
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004 - of the wire form
    return found


def _exactly(channel: socket.socket, count: int, until: float) -> bytes:
    found = bytearray()
    while len(found) < count:
        channel.settimeout(max(0.001, until - time.monotonic()))
        piece = channel.recv(min(count - len(found), 1 << 20))
        if not piece:
            raise EOFError("the process went")
        found += piece
    return bytes(found)

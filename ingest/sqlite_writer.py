"""One thread that writes for all: group commit.

An fsync takes some 4 ms whatever it carries, so everything queued meanwhile shares the next
one: 32 threads with one record each get 12 times the throughput of one transaction a record.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from ingest.errors import UnavailableError
from ingest.sqlite_file import is_full, store_error

ResultT = TypeVar("ResultT")

_BATCH_SECONDS = 0.05
"""Nobody waits longer for the jobs that came after his own."""

_CLOSING_MS = 500
"""How long the end waits for readers; a stop must not wait the 30 s that writing may."""

_PASSING_MS = 50
"""How long a checkpoint in the middle of the work waits for readers: appends wait meanwhile."""


@dataclass(slots=True)
class _Job:
    run: Callable[[sqlite3.Connection], Any]
    future: Future[Any]
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs jobs in the order they came, many in one transaction, each in its own savepoint.

    A job that raises fails alone; a full disk fails every job of its transaction. Futures are
    resolved after the commit and on this thread: a callback must not wait for another job.
    ``guard`` is held from before the first job until after the commit; ``committed`` is called
    after each commit.

    Attributes:
        ends: The next offset of every partition, by its row id, as of the last commit.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        guard: AbstractContextManager[Any],
        committed: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._committed = committed
        self._queue: queue.SimpleQueue[_Job | Future[bool] | None] = queue.SimpleQueue()
        self._set_back: tuple[Future[bool] | None, ...] = ()
        self._gate = threading.Lock()
        self._closed = False
        self._fault = ""
        self.ends: dict[int, int] = _ends(connection)
        self._thread = threading.Thread(target=self._work, name="log-writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[sqlite3.Connection], ResultT]) -> Future[ResultT]:
        """The future result of ``run``, durable once resolved."""
        future: Future[ResultT] = Future()
        with self._gate:
            if self._closed:
                future.set_exception(UnavailableError("the log is closed"))
            else:
                self._queue.put(_Job(run, future))
        return future

    def checkpoint(self) -> Future[bool]:
        """Empty the write-ahead log into the file; False where a reader is in the way."""
        future: Future[bool] = Future()
        with self._gate:
            if self._closed:
                future.set_exception(UnavailableError("the log is closed"))
            else:
                self._queue.put(future)
        return future

    def fault(self) -> str:
        """Why the last transaction failed, as a sentence; empty after one that went well."""
        return self._fault

    def close(self) -> None:
        """Finish what was submitted, end the thread, close the connection.

        The file is then whole without its write-ahead log, unless somebody else still reads.
        """
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                if isinstance(job, Future):
                    job.set_result(_checkpoint(self._connection, wait_ms=_PASSING_MS))
                elif job.future.set_running_or_notify_cancel():
                    jobs = [job]
                    with self._guard:
                        fault = self._transact(jobs)
                    self._settle(jobs, fault)
        finally:
            _checkpoint(self._connection, wait_ms=_CLOSING_MS)
            self._connection.close()

    def _next(self) -> _Job | Future[bool] | None:
        """What comes next: what ended the last transaction, else what is first in the queue."""
        if self._set_back:
            (job,), self._set_back = self._set_back, ()
            return job
        return self._queue.get()

    def _transact(self, jobs: list[_Job]) -> sqlite3.Error | None:
        """Carry ``jobs``, which grows by what is queued behind it; why nothing was stored."""
        until = time.monotonic() + _BATCH_SECONDS
        try:
            self._connection.execute("begin immediate")
            for job in jobs:
                self._run(job)
                if time.monotonic() < until and (following := self._following()) is not None:
                    jobs.append(following)
            ends = _ends(self._connection)
            self._connection.execute("commit")
            self.ends.update(ends)
        except sqlite3.Error as error:
            if self._connection.in_transaction:  # a full disk has rolled back already
                self._connection.execute("rollback")
            return error
        return None

    def _following(self) -> _Job | None:
        while not self._queue.empty():
            job = self._queue.get()
            if not isinstance(job, _Job):
                self._set_back = (job,)
                return None
            if job.future.set_running_or_notify_cancel():
                return job
        return None

    def _run(self, job: _Job) -> None:
        self._connection.execute("savepoint job")
        try:
            job.result = job.run(self._connection)
        except Exception as error:  # the future carries it to whoever waits for the job
            if isinstance(error, sqlite3.Error):
                if not self._connection.in_transaction or is_full(error):
                    raise
                error = store_error(error)
            self._connection.execute("rollback to job")
            job.error = error
        self._connection.execute("release job")

    def _settle(self, jobs: list[_Job], fault: sqlite3.Error | None) -> None:
        self._fault = store_error(fault).sentence if fault else ""
        if not fault:
            self._committed()
        for job in jobs:
            error = job.error or (store_error(fault) if fault else None)
            if error:
                job.future.set_exception(error)
            else:
                job.future.set_result(job.result)


def _checkpoint(connection: sqlite3.Connection, *, wait_ms: int) -> bool:
    """Move the write-ahead log into the file: whoever copies the file alone then has it all.

    False where a reader or a full disk is in the way. Nothing is lost by that: the next start
    goes on with the write-ahead log as it is.
    """
    with suppress(sqlite3.Error):
        (before,) = connection.execute("pragma busy_timeout").fetchone()
        connection.execute(f"pragma busy_timeout = {wait_ms}")
        try:
            busy, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            return not busy
        finally:
            connection.execute(f"pragma busy_timeout = {before}")
    return False


def _ends(connection: sqlite3.Connection) -> dict[int, int]:
    return dict(connection.execute("select id, next from part"))

"""Searching in processes of their own, once searches overlap.

A search is mostly Python, which runs in one thread of a process at a time: many readers would
wait for each other, and alerts for them. One reader at a time needs none of this.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest.errors import WirewatchError
from search.frames import receive, send
from search.index import SearchRequest, SearchResult

MOST = min(4, max(2, os.cpu_count() or 2))
"""Processes; two at least, or each short search waits for the long one before it."""

AT_ONCE = MOST
"""Searches under way; the others wait their turn. One more than there are processes would be
searched in this one, where the stages and all answers would wait for it."""

START_SECONDS = 30.0
ANSWER_SECONDS = 60.0

_BOOT = (
    "import json, sys; paths, index = json.loads(sys.argv[1]); "
    "sys.path += [path for path in paths if path not in sys.path]; "
    "from search.search_child import serve; serve(0, index)"
)
_EXCHANGE_ERRORS = (OSError, EOFError, pickle.UnpicklingError)

_events = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    channel: socket.socket

    def ask(self, request: SearchRequest) -> SearchResult | WirewatchError:
        """The answer of the process. Raises one of ``_EXCHANGE_ERRORS``."""
        send(self.channel, pickle.dumps(request))
        frame = receive(self.channel)
        if not frame:
            raise EOFError("the process went")
        answer: SearchResult | WirewatchError = pickle.loads(frame)  # noqa: S301 - of our own child
        return answer

    def end(self) -> None:
        """End the process; leaves no zombie behind."""
        self.channel.close()
        self.process.kill()
        self.process.wait()


class SearchProcesses:
    """Processes that search the index in a folder. From any thread."""

    def __init__(self, path: Path, *, most: int = MOST) -> None:
        self._path = path
        self._most = most
        self._gate = threading.Lock()
        self._idle: list[_Child] = []
        self._started = 0
        self._is_closed = False

    def search(self, request: SearchRequest, *, is_urgent: bool) -> SearchResult | None:
        """The result, where a process is free; else None, and search yourself.

        ``is_urgent`` has another process started for those that come later.

        Raises:
            WirewatchError: what is wrong with the request.
        """
        child = self._free(is_urgent=is_urgent)
        if child is None:
            return None
        try:
            answer = child.ask(request)
        except _EXCHANGE_ERRORS as error:
            _events.warning("search process ended", reason=repr(error))
            child.end()
            with self._gate:
                self._started -= 1
            return None
        self._give_back(child)
        if isinstance(answer, WirewatchError):
            raise answer
        return answer

    def close(self) -> None:
        """End them all, those that search once they are done."""
        with self._gate:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _free(self, *, is_urgent: bool) -> _Child | None:
        with self._gate:
            if self._idle:
                return self._idle.pop()
            if is_urgent and self._started < self._most and not self._is_closed:
                self._started += 1
                threading.Thread(target=self._start, name="search-start", daemon=True).start()
        return None

    def _start(self) -> None:
        """Start a process; it is free when it says that it is ready."""
        ours, theirs = socket.socketpair()
        with theirs:
            paths = [str(Path(path).absolute()) for path in sys.path]
            told = json.dumps([paths, str(self._path.absolute())])
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-I", "-c", _BOOT, told],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the process that owns the folder
            )
        child = _Child(process, ours)
        ours.settimeout(START_SECONDS)
        try:
            is_ready = receive(ours) == b"ready"
        except OSError:
            is_ready = False
        if is_ready:
            ours.settimeout(ANSWER_SECONDS)
            self._give_back(child)
            return
        # It stays counted: what cannot be started is not tried with every search.
        _events.warning("no process to search could be started")
        child.end()

    def _give_back(self, child: _Child) -> None:
        with self._gate:
            if not self._is_closed:
                self._idle.append(child)
                return
        child.end()

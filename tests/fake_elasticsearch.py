"""A small server on 127.0.0.1 that says what a real Elasticsearch cannot be made to say quickly.

Refused logins, other versions, impostors, and a server that is too busy for a moment. All else
is tested against the real one.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INFO = {"name": "fake", "cluster_uuid": "fake", "version": {"number": "9.5.3"}}
PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is sent as JSON; a status of 0 closes the connection without a word."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_genuine: bool = True


def fault(status: int, kind: str, reason: str = "", **headers: str) -> Answer:
    """The request as a whole is refused."""
    body = {"error": {"type": kind, "reason": reason}, "status": status}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, named)


@dataclass(slots=True)
class FakeElasticsearch:
    """Takes every bulk, or what ``bulks`` and ``refuses`` say.

    Attributes:
        info: The answer to a question for its version.
        always: The answer to everything, where set.
        bulks: Answers to the next bulks, as a whole; None takes one.
        refuses: What becomes of a document: an item's ``{"status", "error"}``, or None.
        sizes: Documents in each bulk that came.
        taken: Ids of the documents that were taken, with their last version.
        seen: All header lines and bodies that came.
    """

    url: str = ""
    info: Answer = field(default_factory=lambda: Answer(body=INFO))
    always: Answer | None = None
    bulks: deque[Answer | None] = field(default_factory=deque)
    refuses: Callable[[str], Mapping[str, Any] | None] = lambda _: None
    sizes: list[int] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def answer(self, path: str, body: bytes) -> Answer:
        """What is said to a request."""
        if self.always is not None:
            return self.always
        if path.partition("?")[0] != "/_bulk":
            return self.info if path == "/" else fault(404, "index_not_found_exception", "no such")
        actions = [*_actions(body)]
        self.sizes.append(len(actions))
        whole = self.bulks.popleft() if self.bulks else None
        return whole or Answer(body={"took": 1, "errors": False, "items": self._items(actions)})

    def _items(self, actions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        for action in actions:
            ((kind, place),) = action.items()
            refusal = self.refuses(place["_id"])
            if refusal is None:
                self.taken[place["_id"]] = place["version"]
            items.append({kind: {"_index": place["_index"], **(refusal or {"status": 201})}})
        return items


def _actions(body: bytes) -> Iterator[Mapping[str, Any]]:
    lines = iter(body.splitlines())
    for line in lines:
        action = json.loads(line)
        yield action
        if "index" in action:
            next(lines)


@contextmanager
def fake_elasticsearch() -> Iterator[FakeElasticsearch]:
    """A running one."""
    fake = FakeElasticsearch()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fake.seen.append(f"{self.headers}{body!r}")
            answer = fake.answer(self.path, body)
            if not answer.status:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {**(PRODUCT if answer.is_genuine else {}), **answer.headers}.items():
                self.send_header(name, value)
            said = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815  names of the base class

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

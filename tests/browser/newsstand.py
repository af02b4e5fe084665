"""A small web site in a thread: pages of feeds and homepages, and receivers that can be broken."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Newsstand:
    """What its paths answer, and what was posted to it.

    Attributes:
        pages: Path to content type and body; other paths say 404.
        statuses: Path to the status that a POST gets; 204 where none is set.
        posted: Path and body of every POST, in order.
    """

    host: str = ""
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    posted: list[tuple[str, bytes]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def feed(self, path: str, body: str) -> str:
        """Serve an RSS document; its URL."""
        self.pages[path] = ("application/rss+xml", body.encode())
        return self.url(path)

    def homepage(self, path: str, body: str) -> str:
        """Serve a web page; its URL."""
        self.pages[path] = ("text/html; charset=utf-8", body.encode())
        return self.url(path)

    def received(self, path: str) -> list[dict[str, Any]]:
        """The payloads that came to a receiver."""
        return [json.loads(body) for one, body in self.posted if one == path]


@contextmanager
def newsstand() -> Iterator[Newsstand]:
    """A running one."""
    stand = Newsstand()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = stand.pages.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = stand.statuses.get(self.path, 204)
            if status < 300:
                stand.posted.append((self.path, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield stand
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

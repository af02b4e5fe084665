"""Plain servers on 127.0.0.1, each in a thread of its own: files, and a webhook receiver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

CONTENT_TYPES = {
    ".atom": "application/atom+xml",
    ".dat": "application/octet-stream",
    ".json": "application/feed+json",
    ".rss": "application/rss+xml",
    ".xml": "application/xml",
}


@contextmanager
def file_server(folder: Path, *, address: str = "127.0.0.1") -> Iterator[str]:
    """``host:port`` of Python's own file server over ``folder``: it honours If-Modified-Since."""

    class Files(SimpleHTTPRequestHandler):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | CONTENT_TYPES

        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _serving(Files, address=address) as host:
        yield host


@contextmanager
def page_server(pages: Mapping[str, Path]) -> Iterator[str]:
    """``host:port`` of a server that sends the file of a path in full, whatever it is asked."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages[self.path].read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _serving(Pages) as host:
        yield host


@dataclass(slots=True)
class Hook:
    """A webhook receiver that says 200 to everything; what came, in order."""

    host: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """The bodies, each checked against its signature; raises where one is not by ``secret``."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.got]


@contextmanager
def hook() -> Iterator[Hook]:
    """A running ``Hook``."""
    found = Hook()

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.got.append((headers, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _serving(Receive) as found.host:
        yield found


@contextmanager
def _serving(
    handler: Callable[..., BaseHTTPRequestHandler], *, address: str = "127.0.0.1"
) -> Iterator[str]:
    server = ThreadingHTTPServer((address, 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{address}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""The two pages of a stage that is a process of its own: ``/healthz`` and ``/metrics``."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST

from ingest.errors import UsageError
from processors.settings import StageSettings

READ_SECONDS = 5.0
"""A client that sends nothing is left after so long."""


class Page(Protocol):
    """What the two pages say. From any thread."""

    def fault(self) -> str:
        """The sentence of what does not work now; empty when all does."""

    def metrics(self) -> bytes:
        """The figures in Prometheus' text form."""


@contextlib.contextmanager
def serving_page(page: Page, settings: StageSettings) -> Iterator[int]:
    """Answer for the length of the block, from threads of its own; gives the port, 0 where off.

    Raises:
        UsageError: the port is in use.
    """
    if not settings.metrics_port:
        yield 0
        return
    server = _server(page, settings)
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _server(page: Page, settings: StageSettings) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = READ_SECONDS

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, page.metrics(), CONTENT_TYPE_LATEST)
            elif self.path == "/healthz":
                fault = page.fault()
                self._answer(503 if fault else 200, f"{fault or 'ok'}\n".encode())
            else:
                self._answer(404, b"Here are /healthz and /metrics.\n")

        def log_message(self, *_: object) -> None:
            """Nothing: a probe every few seconds is no event."""

        def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    address = settings.metrics_host, settings.metrics_port
    try:
        return ThreadingHTTPServer(address, Handler)
    except OSError as error:
        raise UsageError(
            f"port {settings.metrics_port} on {settings.metrics_host}: {error}",
            sentence=f"Port {settings.metrics_port} on {settings.metrics_host} cannot be used: "
            f"{error.strerror}.",
            hint="Choose another in [stage] metrics_port; 0 switches it off.",
            code="port-in-use",
        ) from error

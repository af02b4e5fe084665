"""A small stand-in for Kibana on loopback: what it answers to a status and an import.

It shows what our side does with answers; that a real Kibana gives these answers it cannot show.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeKibana:
    """What it says, and what it was told.

    Attributes:
        starting: How many more times it says that it is starting.
        refusal: A status and a message instead of what was asked for.
        objects: The lines imported so far, by type and id.
    """

    url: str = ""
    version: str = "9.5.3"
    authorization: str = ""
    starting: int = 0
    refusal: tuple[int, str] | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    status: dict[str, Any] | None = None
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[FakeKibana]:
        """Answers at ``url`` within."""
        kibana = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kibana.asked.append(f"GET {self.path}")
                self.answer(*kibana.of_status(self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                kibana.asked.append(f"POST {self.path}")
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                is_ours = self.headers.get("kbn-xsrf") is not None
                parts = message_from_bytes(head + body).get_payload()
                assert isinstance(parts, list)
                assert isinstance(parts[0], Message)
                data = parts[0].get_payload(decode=True)
                assert isinstance(data, bytes)
                authorization = self.headers.get("Authorization", "")
                self.answer(*kibana.of_import(data, authorization, is_ours=is_ours))

            def answer(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            self.url = f"http://127.0.0.1:{server.server_port}"
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def of_status(self, authorization: str) -> tuple[int, dict[str, Any]]:
        if self.starting:
            self.starting -= 1
            return 503, {"status": {"overall": {"level": "unavailable"}}}
        refused = self._refused(authorization)
        if refused is not None:
            return refused
        if self.status is not None:
            return 200, self.status
        overall = {"status": {"overall": {"level": "available"}}}
        return 200, {**overall, "version": {"number": self.version}}

    def of_import(
        self, data: bytes, authorization: str, *, is_ours: bool
    ) -> tuple[int, dict[str, Any]]:
        if not is_ours:
            return 400, {"message": "Request must contain a kbn-xsrf header."}
        refused = self._refused(authorization)
        if refused is not None:
            return refused
        lines = [json.loads(line) for line in data.decode().splitlines()]
        wrong = {one["id"] for one in self.errors}
        taken = [one for one in lines if one["id"] not in wrong]
        self.objects |= {(one["type"], one["id"]): one for one in taken}
        body = {"success": not self.errors, "successCount": len(taken)}
        return 200, {**body, **({"errors": self.errors} if self.errors else {})}

    def _refused(self, authorization: str) -> tuple[int, dict[str, Any]] | None:
        if self.authorization and authorization != self.authorization:
            return 401, {"message": "security_exception"}
        if self.refusal is not None:
            status, message = self.refusal
            return status, {"message": message}
        return None

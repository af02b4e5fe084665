"""A mail server on the loopback interface that a test scripts: what it took, what it refuses."""

from __future__ import annotations

import asyncio
import email.policy
import ssl
import warnings
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    """Takes every message, unless ``refuses`` has the answer for its recipient or its text.

    ``hangs``: it never answers a message. ``login``: user and password that it asks for.
    """

    refuses: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    login: tuple[str, str] | None = None
    starttls: ssl.SSLContext | None = None
    tls: ssl.SSLContext | None = None
    got: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def wait_for(self, count: int, seconds: float = 20.0) -> None:
        """Return when ``count`` messages have come."""
        async with asyncio.timeout(seconds):
            while len(self.got) < count:
                self._news.clear()
                await self._news.wait()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._made, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def _made(self) -> SMTP:
        self.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not see TLS that was there from the start
            return SMTP(
                self,
                tls_context=self.starttls,
                require_starttls=self.starttls is not None,
                authenticator=self._logged_in if self.login else None,
                auth_required=self.login is not None,
                auth_require_tls=self.starttls is not None,
                timeout=30,
            )

    def _logged_in(self, *given: Any) -> AuthResult:
        found = given[-1]
        assert isinstance(found, LoginPassword)
        pair = (found.login.decode(), found.password.decode())
        return AuthResult(success=pair == self.login, handled=pair == self.login)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.hangs:
            await asyncio.sleep(60)
        if "DATA" in self.refuses:
            return self.refuses["DATA"]
        content = envelope.content
        assert isinstance(content, bytes)
        found = BytesParser(policy=email.policy.default).parsebytes(content)
        assert isinstance(found, EmailMessage)
        self.got.append(found)
        self.to += envelope.rcpt_tos
        self._news.set()
        return "250 taken"


def texts(message: EmailMessage) -> tuple[str, str]:
    """The plain and the HTML text of a message."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()

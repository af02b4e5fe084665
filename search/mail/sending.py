"""The way to the mail server: behind the address guard, encrypted, one message a connection."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from email.message import EmailMessage

import aiosmtplib
from aiohttp.abc import AbstractResolver
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from yarl import URL

from ingest.connections import open_guarded
from ingest.errors import UsageError
from ingest.guard import Guard
from ingest.loopback import is_loopback
from ingest.network_errors import NETWORK_ERRORS, explain
from ingest.secret_file import read_secret
from search.deliveries import Outcome
from search.mail.settings import MailSettings

PERMANENT = 500
"""Answers from here on (RFC 5321): the same message again would get the same answer."""

NO_SERVER = "No mail server is set."
NO_SERVER_HINT = "Set server and from_address below [mail]."


class Mailer:
    """Hands messages to the server of ``settings``. For one event loop.

    ``resolver`` and ``tls`` are other look-ups and certificates than the system's.
    """

    def __init__(
        self,
        settings: MailSettings,
        guard: Guard,
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._settings = settings
        self._guard = guard
        self._resolver = resolver
        self._free = asyncio.Semaphore(settings.connections)

    async def send(self, message: EmailMessage) -> Outcome:
        """One attempt. Raises WirewatchError where the settings are at fault."""
        self._check()
        try:
            async with self._free, asyncio.timeout(self._settings.seconds):
                await self._handed_over(message)
        except (SMTPException, *NETWORK_ERRORS) as error:
            return self._outcome(error)
        return Outcome()

    def _outcome(self, error: Exception) -> Outcome:
        if isinstance(error, SMTPRecipientsRefused):
            return _answered(error.recipients[0], is_final=True)
        if isinstance(error, SMTPResponseException):
            # Of a login or a sender that is refused the settings are to blame, and they may be
            # mended; a refused message or recipient stays refused.
            return _answered(error, is_final=isinstance(error, SMTPDataError))
        if isinstance(error, TimeoutError):
            seconds = self._settings.seconds
            return Outcome(error=f"The mail server did not answer within {seconds:g} s.")
        cause = error.__cause__ if isinstance(error, SMTPException) else error
        if isinstance(cause, NETWORK_ERRORS) and not isinstance(cause, SMTPException):
            url = URL.build(scheme="smtp", host=self._settings.server, port=self._settings.port)
            return Outcome(error=explain(cause, url).sentence)
        return Outcome(error=f"The mail server broke off: {str(error)[:200]}.")

    async def _handed_over(self, message: EmailMessage) -> None:
        settings = self._settings
        host, port = settings.server, settings.port
        opened = await open_guarded(self._guard, host, port, resolver=self._resolver)
        client = aiosmtplib.SMTP(
            hostname=host,
            sock=opened,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls,
            timeout=settings.seconds,
        )
        try:
            try:
                await client.connect()
            except BaseException:
                opened.close()
                raise
            if settings.user:
                await client.login(settings.user, self._password())
            await client.send_message(message)
            with suppress(SMTPException):  # it has the message: how it says goodbye is its affair
                await client.quit()
        finally:
            if isinstance(client.transport, asyncio.Transport):
                client.transport.abort()

    def _password(self) -> str:
        return read_secret(self._settings.password_file, setting="[mail] password_file")

    def _check(self) -> None:
        """Refuse settings that send nothing, or send it in clear."""
        settings = self._settings
        if not settings.server or not settings.from_address:
            raise UsageError(NO_SERVER, hint=NO_SERVER_HINT, code="mail")
        if settings.security != "none":
            return
        url = URL.build(scheme="https", host=settings.server, port=settings.port)
        if not is_loopback(settings.server) or not self._guard.allows(url):
            raise UsageError(
                f'[mail] security = "none" is for a server on this machine, not {settings.server}',
                hint='Use starttls or tls; or name a local one, below [net]: allow = ["host:port"]',
                code="mail",
            )


def _answered(error: SMTPResponseException, *, is_final: bool) -> Outcome:
    what = {
        SMTPRecipientRefused: "refused the recipient",
        SMTPAuthenticationError: "refused the login",
        SMTPDataError: "refused the message",
    }.get(type(error), "answered")
    said = " ".join(error.message.split())[:200]
    return Outcome(
        status=error.code,
        error=f"The mail server {what}: {error.code} {said}",
        final=is_final and error.code >= PERMANENT,
    )

"""A signed webhook: one POST behind the address guard (Standard Webhooks)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from aiohttp import ClientResponse
from standardwebhooks import Webhook

from ingest.connections import Connections
from ingest.guard import parse_url, split_credentials
from ingest.network_errors import NETWORK_ERRORS, explain
from ingest.retry_after import parse_retry_after
from search.alert_settings import AlertSettings
from search.deliveries import GONE, Outcome

DRAIN_SECONDS = 1.0
"""To read what a receiver answers, so that its connection can be used again."""

THROTTLING = (429, 502, 503, 504)
USER_AGENT = "Wirewatch (alerts; Standard Webhooks)"


class Webhooks:
    """Posts alerts. ``connections`` is behind the address guard, and closed here."""

    def __init__(self, connections: Connections, settings: AlertSettings) -> None:
        self._connections = connections
        self._settings = settings

    async def post(
        self, url: str, payload: str, *, alert_id: str, secrets: Sequence[str]
    ) -> Outcome:
        """One attempt, signed with each of ``secrets``. Raises FeedError, UsageError."""
        bare, user, password = split_credentials(url)
        headers = signed(payload, alert_id=alert_id, secrets=secrets, now=datetime.now(UTC))
        if user or password:
            login = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        target = parse_url(bare)
        try:
            async with asyncio.timeout(self._settings.webhook_seconds):
                response = await self._connections.request(
                    "POST",
                    target,
                    headers=headers,
                    data=payload.encode(),
                    connect_seconds=self._settings.connect_seconds,
                )
        except NETWORK_ERRORS as error:
            if isinstance(error, TimeoutError) and not error.args:
                seconds = self._settings.webhook_seconds
                return Outcome(error=f"It did not answer within {seconds:g} s.")
            found = explain(error, target)
            return Outcome(error=found.sentence)
        await self._drain(response)
        return answer(response.status, response.headers.get("Retry-After", ""))

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def _drain(self, response: ClientResponse) -> None:
        """Read the answer's body within its bounds; what is left is cut off with the connection."""
        with suppress(*NETWORK_ERRORS):
            async with asyncio.timeout(DRAIN_SECONDS):
                left = self._settings.answer_bytes
                while left > 0 and (chunk := await response.content.read(min(left, 8192))):
                    left -= len(chunk)
        if response.content.at_eof():
            response.release()
        else:
            response.close()


def signed(payload: str, *, alert_id: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of a webhook; each signature covers id, time and body."""
    signatures = (Webhook(secret).sign(alert_id, now, payload) for secret in secrets)
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": alert_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def answer(status: int, retry_after: str) -> Outcome:
    """What a receiver's answer means: only 2xx acknowledges."""
    if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
        return Outcome(status=status)
    wait = parse_retry_after(retry_after, now=datetime.now(UTC)) or 0.0
    asked = wait if status in THROTTLING else 0.0
    if 300 <= status < 400:  # noqa: PLR2004 - RFC 9110, section 15.4
        sentence = (
            f"It answered {status}, a redirect; these are not followed. Give the new address."
        )
    elif status == GONE:
        sentence = "It answered 410 Gone: it wants no more alerts."
    else:
        sentence = f"It answered {status}."
    return Outcome(status=status, error=sentence, retry_after_seconds=asked, final=status == GONE)

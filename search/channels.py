"""How an alert reaches somebody: a signed webhook, a line in a file, a block on the terminal."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from aiohttp import ClientResponse
from standardwebhooks import Webhook

from ingest.clean import printable
from ingest.connections import Connections
from ingest.errors import WirewatchError
from ingest.guard import parse_url, split_credentials
from ingest.network_errors import NETWORK_ERRORS, explain
from ingest.retry_after import parse_retry_after
from search.alert_settings import AlertSettings
from search.deliveries import GONE, Outcome
from search.line_files import LineFiles
from search.secrets import Vault
from search.subscriptions import kind_of

LOCAL_THREADS = 4
"""Files and the terminal may block (a full disk, a stopped pager); they must not hold up polls."""

DRAIN_SECONDS = 1.0
"""To read what a receiver answers, so that its connection can be used again."""

THROTTLING = (429, 502, 503, 504)
USER_AGENT = "Wirewatch (alerts; Standard Webhooks)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One payload on its way to one target."""

    alert_id: str
    subscription: str
    target: str
    payload: str


class Channels:
    """Webhook, file and terminal. ``connections`` is behind the address guard, and closed here."""

    def __init__(
        self,
        *,
        connections: Connections,
        secrets: Vault,
        settings: AlertSettings,
        stdout: TextIO | None = None,
        as_json: bool = False,
    ) -> None:
        self._connections = connections
        self._secrets = secrets
        self._settings = settings
        self._stdout = stdout
        self._as_json = as_json
        self._threads = ThreadPoolExecutor(LOCAL_THREADS, thread_name_prefix="deliver")
        self._files = LineFiles(self._threads)

    async def deliver(self, delivery: Delivery) -> Outcome:
        """One attempt; what goes wrong is in the outcome, in a sentence."""
        try:
            match kind_of(delivery.target):
                case "webhook":
                    return await self._post(delivery)
                case "file":
                    path = Path(delivery.target.partition(":")[2])
                    await self._files.append(path, delivery.payload)
                case "stdout":
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._threads, self._print, delivery.payload)
        except WirewatchError as error:
            return Outcome(error=f"{error.sentence} {error.hint}".strip())
        except (OSError, ValueError) as error:
            return Outcome(
                error=f"It cannot be written: {getattr(error, 'strerror', None) or error}."
            )
        return Outcome()

    async def close(self) -> None:
        """Close connections and threads; what a thread writes now is not waited for."""
        await self._connections.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _post(self, delivery: Delivery) -> Outcome:
        url, user, password = split_credentials(self._secrets.reveal(delivery.target))
        secret = self._secrets.signing_secret(delivery.subscription, delivery.target)
        headers = signed(delivery, secret, now=datetime.now(UTC))
        if user or password:
            login = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        target = parse_url(url)
        try:
            async with asyncio.timeout(self._settings.webhook_seconds):
                response = await self._connections.request(
                    "POST",
                    target,
                    headers=headers,
                    data=delivery.payload.encode(),
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

    def _print(self, payload: str) -> None:
        stream = self._stdout or sys.stdout
        stream.write(payload + "\n" if self._as_json else block(payload))
        stream.flush()


def signed(delivery: Delivery, secret: str, *, now: datetime) -> dict[str, str]:
    """The headers of a webhook; the signature covers id, time and body."""
    signature = Webhook(secret).sign(delivery.alert_id, now, delivery.payload)
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": delivery.alert_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
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


def block(payload: str) -> str:
    """A payload for people: title, place and reason, safe for a terminal (row F50)."""
    body = json.loads(payload)
    lines = _digest_lines(body["data"]) if body["type"] == "digest" else _lines(body)
    return "".join(f"{printable(line)}\n" for line in lines if line.strip()) + "\n"


def _digest_lines(data: dict[str, Any]) -> list[str]:
    lines = [f"▌ {data['subscription']['name']}: {data['sentence']}"]
    for group in data["groups"]:
        lines.append(f"  {group['topic']}")
        for story in group["stories"]:
            lines += [f"    {one['title']}  {one['url']}" for one in story["articles"]]
    return [*lines, f"  alert {data['alert_id']}"]


def _lines(body: dict[str, Any]) -> list[str]:
    data = body["data"]
    article, story = data["article"], data["story"]
    grew = "A story grew. " if body["type"] == "story.grew" else ""
    lines = [
        f"▌ {data['subscription']['name']}: {grew}{article['title']}",
        f"  {article['source']}  {(article['published'] or article['seen'] or '')[:16]}",
        f"  {article['url']}",
    ]
    if story["size"] > 1:
        lines.append(f"  story of {story['size']} articles: {', '.join(story['sources'])}")
    if data["topics"]:
        lines.append(f"  topics: {', '.join(data['topics'])}")
    lines += [f"  {one['clause']}: {one['text']}" for one in data["why"][:3]]
    return [*lines, f"  alert {data['alert_id']}"]

"""How an alert reaches somebody: the switch between the ways of delivery."""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from ingest.connections import Connections
from ingest.errors import WirewatchError
from ingest.guard import Guard
from ingest.log import Log
from search.alert_settings import AlertSettings
from search.apprise_sending import AppriseSender
from search.channel_store import Channel, channel_at, signing_secrets
from search.deliveries import Outcome
from search.kafka_out import publish
from search.line_files import LineFiles
from search.mail.message import message
from search.mail.sending import Mailer
from search.mail.settings import MailSettings
from search.mail.unsubscribing import Links
from search.secrets import Vault
from search.subscriptions import CHANNEL, kind_of
from search.telling import labelled, plain, subject
from search.terminal import block
from search.topic_labels import TopicLabels
from search.webhook import Webhooks

LOCAL_THREADS = 4
"""Files and the terminal may block (a full disk, a stopped pager); they must not hold up polls."""

CHAT_CHARS = 1_800
"""Of a message through apprise: what most chat systems take in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One payload on its way to one target.

    Attributes:
        subscription: Its id; empty where a channel is tried by itself.
    """

    alert_id: str
    subscription: str
    target: str
    payload: str


class Channels:
    """Every way to a receiver. ``connections`` is behind the address guard, and closed here.

    ``with_kafka``: the log is in Kafka, so that ``kafka:`` targets can be written.
    """

    def __init__(
        self,
        log: Log,
        *,
        connections: Connections,
        guard: Guard,
        secrets: Vault,
        settings: AlertSettings,
        mail: MailSettings | None = None,
        with_kafka: bool = False,
        stdout: TextIO | None = None,
        as_json: bool = False,
    ) -> None:
        mail = mail or MailSettings()
        self._log = log
        self._labels = TopicLabels(log)
        self._with_kafka = with_kafka
        self._secrets = secrets
        self._mail_from = mail.from_address
        self._stdout = stdout
        self._as_json = as_json
        self._threads = ThreadPoolExecutor(LOCAL_THREADS, thread_name_prefix="deliver")
        self._files = LineFiles(self._threads)
        self._webhooks = Webhooks(connections, settings)
        self._mailer = Mailer(mail, guard)
        self._apprise = AppriseSender(guard.entries, seconds=settings.webhook_seconds)
        self._links = Links(secrets, base=settings.link_base)

    async def deliver(self, delivery: Delivery) -> Outcome:
        """One attempt; what goes wrong is in the outcome, in a sentence."""
        try:
            if not delivery.target.startswith(CHANNEL):
                return await self._deliver(delivery)
            channel = await asyncio.to_thread(channel_at, self._log, delivery.target)
            if channel is None:
                return Outcome(error="This channel was removed.", final=True)
            return await self._deliver(replace(delivery, target=channel.target), channel=channel)
        except WirewatchError as error:
            return Outcome(error=f"{error.sentence} {error.hint}".strip())
        except (OSError, ValueError) as error:
            return Outcome(
                error=f"It cannot be written: {getattr(error, 'strerror', None) or error}."
            )

    async def close(self) -> None:
        """Close connections, processes and threads; a thread that writes now is not waited for."""
        await self._webhooks.close()
        await self._apprise.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _deliver(self, delivery: Delivery, *, channel: Channel | None = None) -> Outcome:
        match kind_of(delivery.target):
            case "webhook":
                return await self._post(delivery, channel)
            case "mail":
                return await self._mail(delivery)
            case "apprise":
                return await self._notify(delivery)
            case "kafka" if not self._with_kafka:
                return Outcome(error="There is no Kafka here.", final=True)
            case "kafka":
                topic = delivery.target.partition(":")[2]
                return await publish(self._log, topic, delivery.alert_id, delivery.payload)
            case "file":
                path = Path(delivery.target.partition(":")[2])
                await self._files.append(path, delivery.payload)
            case _:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._threads, self._print, delivery.payload)
        return Outcome()

    async def _post(self, delivery: Delivery, channel: Channel | None) -> Outcome:
        if channel is None:
            secrets = [self._secrets.signing_secret(delivery.subscription, delivery.target)]
        else:
            secrets = signing_secrets(self._secrets, channel, now=datetime.now(UTC))
        url = self._secrets.reveal(delivery.target)
        return await self._webhooks.post(
            url, delivery.payload, alert_id=delivery.alert_id, secrets=secrets
        )

    async def _mail(self, delivery: Delivery) -> Outcome:
        link = ""
        if delivery.subscription:
            link = await asyncio.to_thread(self._links.link, delivery.subscription, delivery.target)
        made = message(
            await self._labelled(delivery),
            alert_id=delivery.alert_id,
            to=delivery.target.partition(":")[2],
            sender=self._mail_from,
            unsubscribe=link,
            now=datetime.now(UTC),
        )
        return await self._mailer.send(made)

    async def _notify(self, delivery: Delivery) -> Outcome:
        payload = await self._labelled(delivery)
        body = plain(payload, max_chars=CHAT_CHARS)
        url = self._secrets.reveal(delivery.target)
        return await self._apprise.send(url, title=subject(payload), body=body)

    async def _labelled(self, delivery: Delivery) -> dict[str, Any]:
        payload = json.loads(delivery.payload)
        return await asyncio.to_thread(labelled, payload, self._labels.label)

    def _print(self, payload: str) -> None:
        stream = self._stdout or sys.stdout
        stream.write(payload + "\n" if self._as_json else block(payload))
        stream.flush()

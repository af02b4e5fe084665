"""A webhook receiver that keeps every alert it was ever sent, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.local_server import LocalServer

SLOW_SECONDS = 2.0

ONE_BY_ONE = {"alerts.storm": ""}
"""Settings for those who count: no alert is held, however many come in a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One alert as it came in; ``status`` is what it was answered."""

    alert_id: str
    subscription: str
    article_id: str
    url: str
    body: str
    at: datetime
    status: int


class AlertBook(LocalServer):
    """Listens on 127.0.0.1 at a free port; ``/hook/NAME`` is one receiver each.

    Args:
        refuses: The share of alerts that are answered 500 when they come for the first time.
        dawdles: The share of requests that are answered late.

    Attributes:
        secrets: By name of receiver; where it is known, signatures are verified.
        forged: What was wrong with requests that no Standard Webhooks library would accept.
    """

    def __init__(self, *, refuses: float = 0.0, dawdles: float = 0.0, seed: int = 1) -> None:
        self.receipts: list[Receipt] = []
        self.secrets: dict[str, str] = {}
        self.forged: list[str] = []
        self._refuses = refuses
        self._dawdles = dawdles
        self._chance = random.Random(seed)
        self._met: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/hook/{name}", self._take)]

    def url(self, name: str) -> str:
        return f"http://{self.host}/hook/{name}"

    def acknowledged(self) -> list[Receipt]:
        return [one for one in self.receipts if one.status == web.HTTPOk.status_code]

    async def _take(self, request: web.Request) -> web.Response:
        at, body = datetime.now(UTC), await request.text()
        self._verify(request.match_info["name"], body, request.headers)
        status = self._status(request.headers.get("webhook-id", ""))
        data: dict[str, Any] = json.loads(body)["data"]
        self.receipts.append(
            Receipt(
                alert_id=request.headers.get("webhook-id", ""),
                subscription=data["subscription"]["name"],
                article_id=data["article"]["id"],
                url=data["article"]["url"],
                body=body,
                at=at,
                status=status,
            )
        )
        if self._chance.random() < self._dawdles:
            await asyncio.sleep(self._chance.random() * SLOW_SECONDS)
        return web.Response(status=status)

    def _status(self, alert_id: str) -> int:
        fresh = alert_id not in self._met
        self._met.add(alert_id)
        return 500 if fresh and self._chance.random() < self._refuses else 200

    def _verify(self, name: str, body: str, headers: Mapping[str, str]) -> None:
        if (secret := self.secrets.get(name)) is None:
            return
        try:
            Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()})
        except WebhookVerificationError as error:
            self.forged.append(f"{name}: {error}")

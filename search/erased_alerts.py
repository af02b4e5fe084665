"""Alerts that speak of erased articles: found, and emptied."""

from __future__ import annotations

import json
from collections.abc import Collection, Container
from dataclasses import replace
from datetime import datetime
from typing import Any

from ingest.errors import UsageError
from ingest.log import Log
from ingest.wire import decode
from processors.erasures import Erasures
from search.alert_state import ALERT, TOPIC, Alert, Attempt
from search.ownership import Ownership

TITLE = "erased"
REASON = "The article was erased."


class ErasedAlerts:
    """Follows ``erasures`` for whoever writes the alerts of our shards. One thread at a time.

    Attributes:
        articles: The ids of all articles that are being erased.
    """

    def __init__(self, log: Log, shards: Ownership) -> None:
        self.articles: Collection[str] = frozenset()
        self._log = log
        self._shards = shards
        self._erasures = Erasures(log)
        self._held: dict[int, int] = {}

    def read(self, *, again: bool = False) -> list[str]:
        """The alerts of ours that are to be emptied: of new erasures, or in shards new to us.

        ``again``: look through all alerts in any case.

        Raises:
            UnavailableError: the log cannot be read now; nothing is lost by it.
        """
        self._erasures.read()
        articles = frozenset(one for erasure in self._erasures.pending() for one in erasure.ids)
        held = dict(self._shards.held())
        if not again and articles <= set(self.articles) and held == self._held:
            return []
        found = [
            record.key.removeprefix(ALERT)
            for record in (self._log.table(TOPIC).items(ALERT) if articles else ())
            if record.partition.number in held
            and speaks_of(decode(Alert, record.value or b""), articles)
        ]
        self.articles, self._held = articles, held
        return found


def speaks_of(alert: Alert, articles: Collection[str]) -> bool:
    """Whether anything of one of ``articles`` stands in ``alert``."""
    if not alert.payload or not any(one in alert.payload for one in articles):
        return False
    return alert.article_id in articles or without(alert.payload, articles) != alert.payload


def emptied(alert: Alert, articles: Collection[str], *, now: datetime) -> Alert:
    """``alert`` without a word of ``articles``; one that says nothing else is not sent any more."""
    if alert.article_id not in articles or not alert.payload:
        return replace(alert, payload=without(alert.payload, articles))
    gone = replace(alert, title=TITLE, payload="")
    if alert.state == "sent":
        return gone
    attempts = (*alert.attempts, Attempt(at=now, to="", error=REASON))
    return replace(gone, state="muted", attempts=attempts, pending=(), next_attempt=None)


def refuse_to_repeat(alert: Alert) -> None:
    """Nothing, where there is something left to send. Raises UsageError."""
    if alert.state == "sent":
        raise UsageError(f"alert {alert.alert_id} was delivered already", code="delivered")
    if alert.title == TITLE and not alert.payload:
        raise UsageError(
            f"alert {alert.alert_id} was emptied",
            sentence="The article of this alert was erased; there is nothing to send.",
            code="erased",
        )


def without(payload: str, articles: Collection[str]) -> str:
    """The body of an alert without its entries for ``articles``."""
    if not any(one in payload for one in articles):
        return payload
    body = json.loads(payload)
    kept = _kept(body, articles)
    return payload if kept == body else json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _kept(value: Any, articles: Container[str]) -> Any:
    if isinstance(value, list):
        return [_kept(one, articles) for one in value if not _is_about(one, articles)]
    if isinstance(value, dict):
        return {name: _kept(one, articles) for name, one in value.items()}
    return value


def _is_about(entry: Any, articles: Container[str]) -> bool:
    """An entry of a digest, with the articles of a story and why they are in it; or an article."""
    if not isinstance(entry, dict):
        return False
    listed = entry.get("articles")
    if isinstance(listed, list) and any(_is_about(one, articles) for one in listed):
        return True
    return entry.get("id") in articles

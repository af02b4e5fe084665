"""The subscriptions over the log: add, edit, pause, remove, list."""

from __future__ import annotations

import base64
import secrets as random_secrets
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import NotFoundError, UsageError
from ingest.guard import Guard, check_url
from ingest.log import Log, NewRecord
from ingest.wire import as_json, decode, encode, format_time
from processors.query import parse
from processors.query_advice import check_topics
from search.alert_state import SINCE, Since
from search.secrets import Vault
from search.subscriptions import (
    Subscription,
    check_name,
    check_target,
    kind_of,
    redacted,
    shard_of,
)

TOPIC = "subscriptions"


class SubscriptionStore:
    """The ``subscriptions`` topic as a list. Only the owner of the data folder writes it.

    Args:
        folder: Below it ``file:`` targets may be asked for over the network.
        topics: The ids that a query may name; None where that is not known.
    """

    def __init__(
        self,
        log: Log,
        *,
        secrets: Vault,
        guard: Guard,
        folder: Path | None = None,
        topics: Collection[str] | None = None,
    ) -> None:
        self._log = log
        self._secrets = secrets
        self._guard = guard
        self._folder = folder
        self._topics = topics
        self._changing = threading.Lock()  # a name is free until the record is written

    def all(self) -> list[Subscription]:
        """Every subscription, by name."""
        found = [
            decode(Subscription, record.value)
            for record in self._log.table(TOPIC).items()
            if record.value is not None
        ]
        return sorted(found, key=lambda one: one.name.casefold())

    def get(self, name: str) -> Subscription:
        """One, by id or by name. Raises NotFoundError."""
        record = self._log.table(TOPIC).get(name)
        if record is not None and record.value is not None:
            return decode(Subscription, record.value)
        found = next((one for one in self.all() if one.name.casefold() == name.casefold()), None)
        if found is None:
            raise NotFoundError(
                f"there is no subscription {name}", hint="See: wirewatch subscriptions list"
            )
        return found

    def add(
        self,
        *,
        name: str,
        query: str,
        to: Sequence[str],
        every_article: bool = False,
        from_network: bool = False,
    ) -> Subscription:
        """A new subscription; it counts from the next article on.

        Raises:
            QueryError: the query cannot be subscribed to.
            UsageError: the name is taken, or a target is refused.
        """
        self._check(query)
        made_id = base64.urlsafe_b64encode(random_secrets.token_bytes(16)).decode()[:22]
        with self._changing:
            made = Subscription(
                id=made_id,
                name=self._free(name),
                query=query,
                to=self._targets(to, from_network=from_network),
                every_article=every_article,
                shard=shard_of(made_id),
                created=datetime.now(UTC),
            )
            self._write(made)
        return made

    def edit(
        self,
        which: str,
        *,
        from_network: bool = False,
        name: str | None = None,
        query: str | None = None,
        to: Sequence[str] | None = None,
        every_article: bool | None = None,
        paused: bool | None = None,
    ) -> Subscription:
        """The subscription with what is given changed; a changed query counts from now on.

        Raises:
            NotFoundError: there is none of this name.
            QueryError, UsageError: as ``add``.
        """
        if query is not None:
            self._check(query)
        with self._changing:
            before = self.get(which)
            after = replace(
                before,
                name=before.name if name is None else self._free(name, besides=before.id),
                query=before.query if query is None else query,
                to=before.to if to is None else self._targets(to, from_network=from_network),
                every_article=before.every_article if every_article is None else every_article,
                paused=before.paused if paused is None else paused,
                version=before.version + 1,
            )
            anew = after.query != before.query or (before.paused and not after.paused)
            after = replace(after, query_version=before.query_version + anew)
            self._write(after)
        return after

    def remove(self, which: str) -> Subscription:
        """Forget a subscription; its alerts stay listed. Raises NotFoundError."""
        with self._changing:
            gone = self.get(which)
            number = gone.shard % self._log.partitions(TOPIC)
            self._log.append([NewRecord(topic=TOPIC, key=gone.id, value=None, partition=number)])
            self._secrets.forget(gone.id)
        return gone

    def view(self, one: Subscription) -> dict[str, Any]:
        """The JSON shape: secrets hidden, with ``since`` and ``active`` of its version.

        ``since`` is how many records of ``stories`` had been written before it counted.
        """
        shown: dict[str, Any] = as_json(one)
        record = self._log.table("alert-state").get(SINCE + one.id)
        since = decode(Since, record.value) if record and record.value else None
        current = since is not None and since.query_version == one.query_version
        return {
            **shown,
            "to": [redacted(target) for target in one.to],
            "since": sum(since.offset.values()) if since and current else None,
            "active": format_time(since.active) if since and current else None,
        }

    def endpoints(self, one: Subscription) -> list[dict[str, str]]:
        """Each target, with the signing secret of a webhook: shown to who adds it."""
        return [
            {
                "to": redacted(target),
                "secret": self._secrets.make_signing_secret(one.id, target)
                if kind_of(target) == "webhook"
                else "",
            }
            for target in one.to
        ]

    def _check(self, query: str) -> None:
        found = parse(query, where="subscription")
        if self._topics is not None:
            check_topics(found, self._topics)

    def _targets(self, to: Sequence[str], *, from_network: bool) -> tuple[str, ...]:
        if not to:
            raise UsageError("a subscription needs a target", hint="Add --to https://… or stdout:")
        found = []
        for target in dict.fromkeys(to):
            check_target(target, from_network=from_network, folder=self._folder)
            if kind_of(target) != "webhook":
                found.append(target)
                continue
            url = check_url(target)
            if url.startswith("http:") and not self._guard.allows(url):
                raise UsageError(
                    f"the way to {urlsplit(url).hostname} is not encrypted",
                    hint="Use https, or allow a receiver of your own, below [net]: "
                    'allow = ["host:port"]',
                    code="plain-http",
                )
            found.append(self._secrets.hide(url))
        return tuple(found)

    def _free(self, name: str, *, besides: str = "") -> str:
        wanted = check_name(name)
        others = (one for one in self.all() if one.id != besides)
        if any(one.name.casefold() == wanted.casefold() for one in others):
            raise UsageError(
                f"there is a subscription {wanted} already",
                hint="Choose another name, or change it: wirewatch subscriptions edit",
            )
        return wanted

    def _write(self, one: Subscription) -> None:
        self.endpoints(one)  # the secrets first: no alert may go out unsigned
        number = one.shard % self._log.partitions(TOPIC)
        self._log.append([NewRecord(topic=TOPIC, key=one.id, value=encode(one), partition=number)])

"""The subscriptions over the log: add, edit, pause, remove, list."""

from __future__ import annotations

import base64
import secrets as random_secrets
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, Unpack

from ingest.errors import NotFoundError, UsageError
from ingest.guard import Guard
from ingest.log import Log, NewRecord
from ingest.wire import decode, encode
from search.backfill import check_begin
from search.caller import LOCAL, Caller
from search.channel_store import ChannelStore
from search.secrets import Vault
from search.subscription_changes import Changes, Options, check_query, check_times
from search.subscription_names import Names
from search.subscription_views import subscription_row
from search.subscriptions import Subscription, check_name, kind_of, redacted, shard_of
from search.targets import Targets

TOPIC = "subscriptions"

Put = Literal["added", "changed", "unchanged"]

AT_ONCE = 500
"""Subscriptions read together for a list."""


class SubscriptionStore:
    """The ``subscriptions`` topic as a list: who asks sees and changes only what they may.

    Args:
        folder: Below it ``file:`` targets may be asked for over the network.
        topics: The ids that a query may name; None where that is not known.
        claim_days: How long is known what was sent; a backfill goes no further back.
    """

    def __init__(
        self,
        log: Log,
        *,
        secrets: Vault,
        guard: Guard,
        folder: Path | None = None,
        topics: Collection[str] | None = None,
        claim_days: float = 30,
        targets: Targets | None = None,
    ) -> None:
        self._log = log
        self._secrets = secrets
        self._targets = targets or Targets(secrets=secrets, guard=guard, folder=folder)
        self.channels = ChannelStore(log, secrets=secrets, targets=self._targets)
        self._topics = topics
        self._claim_days = claim_days
        self._names = Names(log)
        self._changing = threading.Lock()  # a name is free until the record is written

    def all(self, *, who: Caller = LOCAL) -> list[Subscription]:
        """Every subscription that ``who`` may see, by name."""
        return sorted(self.after("", who=who), key=lambda one: one.name.casefold())

    def after(self, last: str, *, who: Caller = LOCAL) -> Iterator[Subscription]:
        """Those that ``who`` may see behind the id ``last``, by id, read as they are asked for."""
        ids = self._names.ids(who=who, after=last)
        table = self._log.table(TOPIC)
        for first in range(0, len(ids), AT_ONCE):
            found = table.many(ids[first : first + AT_ONCE])
            for one in ids[first : first + AT_ONCE]:
                if (record := found.get(one)) is not None and record.value is not None:
                    yield decode(Subscription, record.value)

    def get(self, which: str, *, who: Caller = LOCAL) -> Subscription:
        """One, by id or by name. Raises NotFoundError, also for what is another's."""
        table = self._log.table(TOPIC)
        record = table.get(which)
        if record is None and (named := self._names.find(which, who=who)):
            record = table.get(named)
        found = decode(Subscription, record.value) if record and record.value else None
        if found is None or not who.sees(found.owner):
            raise NotFoundError(
                f"there is no subscription {which}", hint="See: wirewatch subscriptions list"
            )
        return found

    def add(
        self,
        *,
        name: str,
        query: str,
        to: Sequence[str],
        from_network: bool = False,
        who: Caller = LOCAL,
        **more: Unpack[Options],
    ) -> Subscription:
        """A new subscription of ``who``; it counts from the next article on.

        Raises:
            QueryError: the query cannot be subscribed to.
            UsageError: the name is taken, or a target or a time is refused.
        """
        with self._changing:
            blank = _blank(owner=who.owner)
            wanted = Changes(name=name, query=query, to=to, **more)
            made = self._made(blank, wanted, from_network=from_network)
            made = replace(made, version=1, query_version=1)
            self._write([made])
        return made

    def edit(
        self,
        which: str,
        *,
        from_network: bool = False,
        who: Caller = LOCAL,
        catch_up: bool = False,
        **changes: Unpack[Changes],
    ) -> Subscription:
        """The subscription with what is given changed; a changed query counts from now on.

        With ``catch_up`` a pause that ends leaves no gap: what matched meanwhile comes.

        Raises:
            NotFoundError: there is none of this name.
            QueryError, UsageError: as ``add``.
        """
        with self._changing:
            before = self.get(which, who=who)
            after = self._made(before, changes, from_network=from_network, catch_up=catch_up)
            self._write([after])
        return after

    def put(
        self, wanted: Sequence[Changes], *, who: Caller, from_network: bool
    ) -> list[Put | UsageError]:
        """Add or change by name, all or nothing: what became of each, or why it is refused."""
        outcomes: list[Put | UsageError] = []
        made: list[Subscription] = []
        names: set[str] = set()
        with self._changing:
            for one in wanted:
                name = (one.get("name") or "").casefold()
                try:
                    after, outcome = self._planned(one, who=who, from_network=from_network)
                except UsageError as error:
                    outcomes.append(error)
                    continue
                if name in names:
                    outcomes.append(UsageError(f"{after.name} stands twice in the file"))
                    continue
                names.add(name)
                outcomes.append(outcome)
                if outcome != "unchanged":
                    made.append(after)
            if made and not any(isinstance(one, UsageError) for one in outcomes):
                self._write(made)
        return outcomes

    def _planned(
        self, wanted: Changes, *, who: Caller, from_network: bool
    ) -> tuple[Subscription, Put]:
        own = Caller(owner=who.owner, scopes=frozenset())
        known = self._names.find(check_name(wanted.get("name") or ""), who=own)
        before = self.get(known) if known else _blank(owner=who.owner)
        after = self._made(before, wanted, from_network=from_network)
        if not known:
            return replace(after, version=1, query_version=1), "added"
        changed = replace(after, version=before.version) != before
        return (after, "changed") if changed else (before, "unchanged")

    def backfill(self, which: str, *, since: datetime, who: Caller = LOCAL) -> Subscription:
        """Have history from ``since`` on matched with a subscription, for it alone.

        Raises:
            NotFoundError: there is none of this name.
            UsageError: it is paused, or nobody knows any more what was sent so long ago.
        """
        with self._changing:
            before = self.get(which, who=who)
            check_begin(before, since, now=datetime.now(UTC), claim_days=self._claim_days)
            after = replace(
                before,
                version=before.version + 1,
                backfill_since=since,
                backfill_version=before.version + 1,
            )
            self._write([after])
        return after

    def remove(self, which: str, *, who: Caller = LOCAL) -> Subscription:
        """Forget a subscription; its alerts stay listed. Raises NotFoundError."""
        with self._changing:
            gone = self.get(which, who=who)
            number = gone.shard % self._log.partitions(TOPIC)
            self._log.append([NewRecord(topic=TOPIC, key=gone.id, value=None, partition=number)])
            self._secrets.forget(gone.id)
        return gone

    def check_query(self, query: str) -> None:
        """Raises QueryError where nobody can subscribe to ``query``."""
        check_query(query, topics=self._topics)

    def view(self, one: Subscription) -> dict[str, Any]:
        """The JSON shape, see ``search.subscription_views``."""
        return subscription_row(self._log, one)

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

    def _made(
        self,
        before: Subscription,
        changes: Changes,
        *,
        from_network: bool,
        catch_up: bool = False,
    ) -> Subscription:
        """The next version, checked."""
        given: dict[str, Any] = {name: one for name, one in changes.items() if one is not None}
        if "query" in given:
            self.check_query(given["query"])
        if "name" in given:
            given["name"] = self._free(given["name"], owner=before.owner, besides=before.id)
        if "to" in given:
            owner = Caller(owner=before.owner, scopes=frozenset())
            given["to"] = self._targets.stored(
                given["to"],
                known=before.to,
                from_network=from_network,
                named=partial(self.channels.listed, who=owner),
            )
        after = replace(before, **given, version=before.version + 1)
        check_times(after)
        anew = after.query != before.query or (before.paused and not after.paused and not catch_up)
        return replace(
            after,
            mode="digest" if after.digest else "instant",
            query_version=before.query_version + anew,
        )

    def _free(self, name: str, *, owner: str, besides: str) -> str:
        wanted = check_name(name)
        if self._names.taken(wanted, owner=owner, besides=besides):
            raise UsageError(
                f"there is a subscription {wanted} already",
                hint="Choose another name, or change it: wirewatch subscriptions edit",
                code="name-taken",
            )
        return wanted

    def _write(self, several: Sequence[Subscription]) -> None:
        for one in several:
            self.endpoints(one)  # the secrets first: no alert may go out unsigned
        count = self._log.partitions(TOPIC)
        self._log.append(
            [
                NewRecord(topic=TOPIC, key=one.id, value=encode(one), partition=one.shard % count)
                for one in several
            ]
        )


def _blank(*, owner: str) -> Subscription:
    made_id = base64.urlsafe_b64encode(random_secrets.token_bytes(16)).decode()[:22]
    return Subscription(
        id=made_id,
        owner=owner,
        name="",
        query="",
        to=(),
        shard=shard_of(made_id),
        created=datetime.now(UTC),
    )

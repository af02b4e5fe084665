"""Named channels over the log: where alerts go, under a name of its own."""

from __future__ import annotations

import secrets as random_secrets
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.errors import NotFoundError, UsageError
from ingest.log import Log, NewRecord
from ingest.wire import SCHEMA, Time, decode, encode
from search.caller import LOCAL, Caller
from search.channel_health import health_row
from search.secrets import Vault
from search.subscriptions import CHANNEL, Subscription, is_channel_name, kind_of, redacted
from search.targets import Targets

TOPIC = "channels"
ROTATION_HOURS = 24
"""Both secrets of a rotated channel sign for so long; the receiver changes over meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A receiver with a name: the record of ``channels``.

    Attributes:
        target: As in a subscription; its secret parts are references.
        rotation: How often its signing secret was changed.
        rotated: When it was changed last.
    """

    id: str
    owner: str = "local"
    name: str
    target: str
    rotation: int = 0
    rotated: Time | None = None
    created: Time
    schema: int = SCHEMA

    @property
    def listed(self) -> str:
        """How it stands in a subscription's targets."""
        return f"{CHANNEL}{self.id}/{self.name}"


class ChannelStore:
    """The topic ``channels`` as a list: who asks sees and changes only what they may."""

    def __init__(self, log: Log, *, secrets: Vault, targets: Targets) -> None:
        self._log = log
        self._secrets = secrets
        self._targets = targets
        self._changing = threading.Lock()

    def all(self, *, who: Caller = LOCAL) -> list[Channel]:
        """Every channel that ``who`` may see, by name."""
        records = self._log.table(TOPIC).items()
        found = (decode(Channel, one.value) for one in records if one.value is not None)
        return sorted((one for one in found if who.sees(one.owner)), key=lambda one: one.name)

    def get(self, which: str, *, who: Caller = LOCAL) -> Channel:
        """One, by id or by name, first of their own. Raises NotFoundError, also for another's."""
        found = [one for one in self.all(who=who) if which in (one.id, one.name)]
        if not found:
            raise NotFoundError(
                f"there is no channel {which}",
                hint="See: wirewatch channels list; an address has a colon in it, as https://…",
                code="no-channel",
            )
        return min(found, key=lambda one: one.owner != who.owner)

    def listed(self, name: str, *, who: Caller = LOCAL) -> str:
        """The target that stands for the channel ``name`` of their own. Raises NotFoundError."""
        own = Caller(owner=who.owner, scopes=frozenset())
        return self.get(name, who=own).listed

    def add(
        self, *, name: str, target: str, who: Caller = LOCAL, from_network: bool = False
    ) -> Channel:
        """A new channel of ``who``. Raises UsageError: the name is taken, the target refused."""
        if not is_channel_name(name):
            raise UsageError(
                f"{name[:60]} cannot be the name of a channel",
                hint="Use up to 64 letters, digits, dots, dashes and underscores, as desk-chat.",
                code="bad-name",
            )
        made = Channel(
            id=random_secrets.token_hex(8),
            owner=who.owner,
            name=name,
            target=self._checked(target, known=(), from_network=from_network),
            created=datetime.now(UTC),
        )
        with self._changing:
            if any((one.owner, one.name) == (who.owner, name) for one in self.all(who=who)):
                raise UsageError(
                    f"there is a channel {name} already",
                    hint="Choose another name, or change it: wirewatch channels edit",
                    code="name-taken",
                )
            self._write(made)
        return made

    def edit(
        self, which: str, *, target: str, who: Caller = LOCAL, from_network: bool = False
    ) -> Channel:
        """The channel with another target, which counts at once. Raises as ``add``."""
        with self._changing:
            before = self.get(which, who=who)
            known = (before.target,)
            checked = self._checked(target, known=known, from_network=from_network)
            # The count goes on: a secret that was rotated away never signs again.
            rotated = before.rotated if checked == before.target else None
            after = replace(before, target=checked, rotated=rotated)
            self._write(after)
        return after

    def rotate(self, which: str, *, who: Caller = LOCAL) -> Channel:
        """The channel with a new signing secret; the old one signs along for 24 hours.

        Raises:
            UsageError: it has none, being no webhook.
        """
        with self._changing:
            before = self.get(which, who=who)
            if kind_of(before.target) != "webhook":
                raise UsageError(
                    f"channel {before.name} is no webhook, so it has no signing secret",
                    code="no-secret",
                )
            after = replace(before, rotation=before.rotation + 1, rotated=datetime.now(UTC))
            self._write(after)
        return after

    def remove(self, which: str, *, who: Caller = LOCAL) -> Channel:
        """Forget a channel. Raises UsageError where subscriptions use it."""
        with self._changing:
            gone = self.get(which, who=who)
            if users := self.users(gone):
                raise UsageError(
                    f"channel {gone.name} is used by: {', '.join(users)}",
                    hint="Give these other targets first: wirewatch subscriptions edit NAME --to …",
                    code="channel-in-use",
                )
            self._log.append([NewRecord(topic=TOPIC, key=gone.id, value=None)])
            self._secrets.forget(gone.id)
        return gone

    def users(self, channel: Channel) -> list[str]:
        """The names of the subscriptions that use ``channel``."""
        records = self._log.table("subscriptions").items()
        found = (decode(Subscription, one.value) for one in records if one.value is not None)
        return sorted(one.name for one in found if channel.listed in one.to)

    def view(self, one: Channel) -> dict[str, Any]:
        """The JSON shape: secrets hidden, with how it does."""
        return {
            "id": one.id,
            "owner": one.owner,
            "name": one.name,
            "to": redacted(one.target),
            "kind": kind_of(one.target),
            "created": one.created,
            "rotated": one.rotated,
            "used_by": self.users(one),
            **health_row(self._log, one.listed),
        }

    def secret(self, one: Channel) -> str:
        """The signing secret of a webhook, shown to who adds it; empty for others."""
        return signing_secrets(self._secrets, one)[0] if kind_of(one.target) == "webhook" else ""

    def _checked(self, target: str, *, known: tuple[str, ...], from_network: bool) -> str:
        if kind_of(target) == "channel":
            raise UsageError(
                f"{target[:60]} is no address",
                hint="Give a channel an address, such as https://… or mailto:jane@example.org.",
                code="bad-target",
            )
        return self._targets.stored([target], known=known, from_network=from_network)[0]

    def _write(self, one: Channel) -> None:
        self.secret(one)  # the secret first: no alert may go out unsigned
        self._log.append([NewRecord(topic=TOPIC, key=one.id, value=encode(one))])


def channel_at(log: Log, listed: str) -> Channel | None:
    """The channel that stands so in a subscription; None where it was removed."""
    record = log.table(TOPIC).get(listed.removeprefix(CHANNEL).partition("/")[0])
    return decode(Channel, record.value) if record and record.value else None


def address_of(log: Log, target: str) -> str:
    """What ``target`` of a subscription stands for: a channel's own target, else itself."""
    found = channel_at(log, target) if target.startswith(CHANNEL) else None
    return found.target if found else target


def signing_secrets(vault: Vault, one: Channel, *, now: datetime | None = None) -> list[str]:
    """What a channel's webhook is signed with: the secret, and for a day the one before."""
    numbers = [one.rotation]
    if now and one.rotated and now - one.rotated < timedelta(hours=ROTATION_HOURS):
        numbers.append(one.rotation - 1)
    return [vault.make_signing_secret(one.id, _name(one.target, number)) for number in numbers]


def _name(target: str, rotation: int) -> str:
    return f"{target} #{rotation}" if rotation else target

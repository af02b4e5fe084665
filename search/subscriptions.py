"""Who wants what: the subscription, and which targets it may have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from ingest.errors import UsageError
from ingest.wire import SCHEMA, Time

Mode = Literal["instant", "digest"]
Kind = Literal["webhook", "file", "stdout", "mail", "apprise", "kafka", "channel"]

SHARDS = 32
"""Partitions of ``subscriptions`` in Kafka; stored in the record and never changed."""

NAME_CHARS = 100
REFERENCE = re.compile(r"\{secret:([0-9a-f]{16}|[A-Za-z0-9_-]{39,})\}")
"""How a secret stands in a target: a name in ``search.secrets``."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

CHANNEL = "channel:"
"""How a named channel stands in a subscription: ``channel:ID/NAME``, so that an edit of the channel
counts at once, and its name can be shown wherever the target is."""

HERE_ONLY = {
    "apprise": "another Apprise server, whose receivers are not known here",
    "apprises": "another Apprise server, whose receivers are not known here",
    "blink1": "a lamp on this machine",
    "dbus": "the desktop of this machine",
    "gio": "the desktop of this machine",
    "glib": "the desktop of this machine",
    "gnome": "the desktop of this machine",
    "kde": "the desktop of this machine",
    "macosx": "the desktop of this machine",
    "qt": "the desktop of this machine",
    "rsyslog": "a protocol that acknowledges nothing",
    "syslog": "the system log of this machine",
    "termux": "the telephone it runs on",
    "windows": "the desktop of this machine",
}
"""Schemes of apprise that reach nobody, or nobody that could be checked: refused by name."""

EXAMPLES = "Use for example https://… (a signed webhook), mailto:jane@example.org or ntfy://…"

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*"
)
"""Plain addresses of RFC 5321: no quoted local part, nothing that could end a header line."""

_TOPIC = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What somebody wants to hear of, and where: the record of ``subscriptions``.

    Attributes:
        version: Grows with every edit.
        query_version: Grows when the query changes, or a pause ends and nothing of it is caught
            up with: what counts from now on.
        to: ``https://…`` (``http://`` only where allowed by name), ``mailto:…``, ``file:PATH``,
            ``stdout:``, ``kafka:NAME``, a URL of apprise or ``channel:ID/NAME``;
            a secret part of a URL is a reference, see ``search.secrets``.
        mode: ``digest`` where ``digest`` says when, else ``instant``.
        digest, quiet, throttle: When alerts may go (``search.timing``); empty where at once.
        every_article: Alert for each article, not once a story.
        story_updates: Say so when a story that was alerted grows.
        backfill_since: From when history was asked for last.
        backfill_version: The version with which it was asked for; 0 where it never was.
    """

    id: str
    owner: str = "local"
    name: str
    query: str
    version: int = 1
    query_version: int = 1
    to: tuple[str, ...]
    mode: Mode = "instant"
    digest: str = ""
    quiet: str = ""
    throttle: str = ""
    every_article: bool = False
    story_updates: bool = False
    paused: bool = False
    backfill_since: Time | None = None
    backfill_version: int = 0
    shard: int = 0
    created: Time
    schema: int = SCHEMA


def shard_of(subscription_id: str) -> int:
    """The shard of a subscription: by its id."""
    return hashlib.sha256(subscription_id.encode()).digest()[0] % SHARDS


def is_channel_name(name: str) -> bool:
    """Whether a channel may be called so: a word that no address can be."""
    return _WORD.fullmatch(name) is not None


def kind_of(target: str) -> Kind:
    """What ``target`` is. Raises UsageError for a scheme that is not known.

    Of what apprise may know, only the form is judged here; see ``search.targets``.
    """
    scheme, _, rest = target.partition(":")
    scheme = scheme.lower()
    if is_channel_name(target):
        return "channel"
    kinds: dict[str, Kind] = {
        "http": "webhook", "https": "webhook", "file": "file", "stdout": "stdout",
        "channel": "channel", "kafka": "kafka",
    }  # fmt: skip
    if scheme in kinds:
        return kinds[scheme]
    if scheme == "mailto" and not rest.startswith("//"):
        return "mail"
    if scheme in HERE_ONLY:
        raise UsageError(
            f"Alerts cannot be sent to {scheme}: addresses: that is {HERE_ONLY[scheme]}.",
            hint=EXAMPLES,
            code="unknown-target",
        )
    if rest.startswith("//") and _SCHEME.fullmatch(scheme):
        return "apprise"
    raise unknown_target(scheme)


def unknown_target(scheme: str) -> UsageError:
    """The error for an address that nothing here can send to."""
    return UsageError(
        f"Alerts cannot be sent to {scheme[:20]!r} addresses.",
        hint=f"{EXAMPLES}; a word without a colon is the name of a channel.",
        code="unknown-target",
    )


def check_target(target: str, *, from_network: bool, folder: PurePath | None) -> None:
    """Refuse a malformed target, or one on this machine that came over the network (row F64).

    Raises:
        UsageError: ``file:`` outside ``folder``, ``stdout:`` or ``kafka:`` asked for over the
            network; a path that is not absolute; no e-mail address; a control character.
    """
    kind = kind_of(target)
    if _CONTROL.search(target):
        raise UsageError("a target cannot hold control characters", code="bad-target")
    rest = target.partition(":")[2]
    if kind == "mail" and not _ADDRESS.fullmatch(rest):
        raise UsageError(
            f"{rest[:100]} is not one plain e-mail address",
            hint="Write mailto:jane@example.org, and a target each for several people.",
            code="bad-target",
        )
    if kind == "kafka" and not _TOPIC.fullmatch(rest):
        raise UsageError(
            f"{rest[:100]} cannot be the name of a topic",
            hint="Write for example kafka:desk; alerts are written to wirewatch.out.desk.",
            code="bad-target",
        )
    if kind in ("file", "stdout", "kafka"):
        _check_place(kind, target, from_network=from_network, folder=folder)


def _check_place(kind: Kind, target: str, *, from_network: bool, folder: PurePath | None) -> None:
    path = PurePath(target.partition(":")[2])
    if kind == "file" and (not path.is_absolute() or ".." in path.parts):
        raise UsageError(
            f"{target} is not an absolute path", hint="Write file:/path/to/alerts.jsonl"
        )
    below = folder is not None and kind == "file" and path.is_relative_to(folder)
    if from_network and not below:
        raise UsageError(
            f"{kind}: targets are not accepted over the network",
            hint="Add it with the command line on this machine"
            + (", or below [alerts] folder." if kind == "file" else "."),
            code="local-target",
        )


def check_name(name: str) -> str:
    """``name`` without outer blanks. Raises UsageError."""
    found = " ".join(name.split())
    if not found or len(found) > NAME_CHARS or not found.isprintable():
        raise UsageError(
            f"a subscription's name has 1 to {NAME_CHARS} printable characters",
            hint="Give it a short name, such as truce.",
        )
    return found


def narrowed(query: str, *, sources: Sequence[str] = (), languages: Sequence[str] = ()) -> str:
    """``query``, of these sources and in these languages only."""
    parts = [
        " OR ".join(f"{name}:{one.strip().lower()}" for one in dict.fromkeys(values))
        for name, values in (("source", sources), ("lang", languages))
    ]
    wanted = [f"({one})" if " OR " in one else one for one in parts if one]
    return " AND ".join([f"({query.strip()})", *wanted]) if wanted else query


def redacted(target: str) -> str:
    """``target`` as people may see it: references become ``***``, a channel has its name."""
    if target.startswith(CHANNEL):
        return target.partition("/")[2]
    return REFERENCE.sub("***", target)

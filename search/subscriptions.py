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
Kind = Literal["webhook", "file", "stdout"]

SHARDS = 32
"""Partitions of ``subscriptions`` in Kafka; stored in the record and never changed."""

NAME_CHARS = 100
REFERENCE = re.compile(r"\{secret:([0-9a-f]{16}|[A-Za-z0-9_-]{39,})\}")
"""How a secret stands in a target: a name in ``search.secrets``."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

LATER = ("mailto:", "tgram:", "slack:", "discord:", "ntfy:", "matrix:")
"""Schemes people will try first; e-mail and chat come with a later version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What somebody wants to hear of, and where: the record of ``subscriptions``.

    Attributes:
        version: Grows with every edit.
        query_version: Grows when the query changes, or a pause ends and nothing of it is caught
            up with: what counts from now on.
        to: ``https://…`` (``http://`` only where allowed by name), ``file:PATH``, ``stdout:``;
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


def kind_of(target: str) -> Kind:
    """What ``target`` is. Raises UsageError for a scheme that is not known."""
    scheme = target.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return "webhook"
    if scheme in ("file", "stdout"):
        return "file" if scheme == "file" else "stdout"
    later = " It comes with a later version." if f"{scheme}:" in LATER else ""
    raise UsageError(
        f"Alerts cannot be sent to {scheme[:20]}: addresses.{later}",
        hint="Use https://… (a signed webhook), file:PATH or stdout:",
        code="unknown-target",
    )


def check_target(target: str, *, from_network: bool, folder: PurePath | None) -> None:
    """Refuse a target on this machine that did not come from its command line (row F64).

    Raises:
        UsageError: ``file:`` outside ``folder``, or ``stdout:``, asked for over the network; a
            path that is not absolute; a control character.
    """
    kind = kind_of(target)
    if _CONTROL.search(target):
        raise UsageError("a target cannot hold control characters", code="bad-target")
    if kind == "webhook" or (kind == "stdout" and not from_network):
        return
    path = PurePath(target.partition(":")[2])
    if kind == "file" and (not path.is_absolute() or ".." in path.parts):
        raise UsageError(
            f"{target} is not an absolute path", hint="Write file:/path/to/alerts.jsonl"
        )
    below = folder is not None and kind == "file" and path.is_relative_to(folder)
    if from_network and not below:
        raise UsageError(
            f"{kind}: targets are not accepted over the network",
            hint="Add it with the command line on this machine, or below [alerts] folder.",
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
    """``target`` as people may see it: references become ``***``."""
    return REFERENCE.sub("***", target)

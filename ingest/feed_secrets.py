"""Feed addresses that hold a secret: where the whole is kept, and what of it is shown (P8)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from ingest.errors import FeedError, WirewatchError
from ingest.feeds import Feed, FeedState

HIDDEN = "***"
"""What stands for a secret wherever an address is shown."""

_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:key|sig|auth|passwd|pwd)$|apikey|token|secret|signature|password",
    re.IGNORECASE,
)
# By name alone: a value that looks random is as often the public id of a channel, and "code" or
# "hash" as often a country or a section.


class Vault(Protocol):
    """A store of secrets by reference."""

    def keep(self, value: str) -> str:
        """A reference to ``value``, which is durable when this returns."""

    def reveal(self, target: str) -> str:
        """``target`` with every reference replaced. Raises NotFoundError."""


def shown(url: str) -> str:
    """``url`` as it may be seen: without user and password, key-like parameters as ``***``."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = masked(parts.query, url)
    if (host, query) == (parts.netloc, parts.query):
        return url  # byte for byte: signed addresses break when they are put together anew
    return urlunsplit((parts.scheme, host, parts.path, query, parts.fragment))


def masked(text: str, url: str) -> str:
    """``text`` with the secret parameters of ``url`` as ``***``."""
    for name, value in _secret_pairs(url):
        text = text.replace(f"{name}={value}", f"{name}={HIDDEN}")
    return text


def hidden(feed: Feed, vault: Vault) -> Feed:
    """``feed`` as it may stand in the log; the whole address goes to ``vault`` if it is secret."""
    visible = shown(feed.url)
    if visible == feed.url:
        return feed
    return dataclasses.replace(feed, url=visible, secret_ref=vault.keep(feed.url))


def revealing(vault: Vault) -> Callable[[Feed], str]:
    """A function from a feed to its whole address; it raises FeedError where that is lost."""

    def whole(feed: Feed) -> str:
        if not feed.secret_ref:
            return feed.url
        try:
            return vault.reveal(feed.secret_ref)
        except WirewatchError as error:
            raise FeedError(
                f"no secret {feed.secret_ref}: {error}",
                sentence="The secret part of this feed's address is missing.",
                hint="Restore the file of secrets, or remove the feed and add it again.",
                code="no-secret",
            ) from error

    return whole


def without_secrets(state: FeedState, url: str) -> FeedState:
    """``state`` of the feed at ``url`` without what would show a secret.

    Where there is one, no move is remembered: the new address repeats the key, or lacks the
    password.
    """
    if shown(url) == url:
        return state
    return dataclasses.replace(
        state,
        sentence=masked(state.sentence, url),
        moved_to="",
        moved_polls=0,
        moved_since=None,
        followed_url="",
    )


def _secret_pairs(url: str) -> Iterator[tuple[str, str]]:
    for piece in urlsplit(url).query.split("&"):
        name, _, value = piece.partition("=")
        if value and _SECRET_NAME.search(name):
            yield name, value

"""Subscriptions as a file of YAML: to keep, to move, to write by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import yaml

from ingest.errors import UsageError
from processors.yaml_node import Block, read_block
from search.caller import Caller
from search.subscription_changes import Changes
from search.subscriptions import Subscription, redacted

if TYPE_CHECKING:
    from search.subscription_store import SubscriptionStore

TEXTS = ("digest", "quiet", "throttle")
FLAGS = ("every_article", "story_updates", "paused")
KEYS = ("name", "query", "to", *TEXTS, *FLAGS)

_HEAD = """\
# Subscriptions of Wirewatch. Read them in again with: wirewatch subscriptions import FILE
# A secret part of an address is left out and shown as ***. Where the subscription is known it
# stays as it is; elsewhere write the whole address.
"""


def export_text(several: Iterable[Subscription]) -> str:
    """A file of them, without what is left at its default, and without secrets."""
    rows = [_row(one) for one in several]
    body = yaml.safe_dump({"subscriptions": rows}, allow_unicode=True, sort_keys=False, width=1000)
    return _HEAD + body


def _row(one: Subscription) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": one.name,
        "query": one.query,
        "to": [redacted(target) for target in one.to],
    }
    return found | {key: getattr(one, key) for key in (*TEXTS, *FLAGS) if getattr(one, key)}


def read_subscriptions(text: str, *, place: str) -> list[tuple[int, Changes]]:
    """What a file asks for, each with its line; what is not said has its default.

    Raises:
        FileError: it is no such file; ``place`` and the line are named.
    """
    block = read_block(text, place=place)
    block.allow(("subscriptions",))
    if block.has("subscriptions") and block.is_empty_list("subscriptions"):
        return []
    return [(one.line, _wanted(one)) for one in block.blocks("subscriptions", needed=True)]


def _wanted(block: Block) -> Changes:
    block.allow(KEYS)
    return {
        "name": block.text("name"),
        "query": block.text("query"),
        "to": block.texts("to"),
        "digest": block.text("digest", default=""),
        "quiet": block.text("quiet", default=""),
        "throttle": block.text("throttle", default=""),
        "every_article": block.flag("every_article", default=False),
        "story_updates": block.flag("story_updates", default=False),
        "paused": block.flag("paused", default=False),
    }


def imported(
    store: SubscriptionStore, text: str, *, place: str, who: Caller, from_network: bool
) -> dict[str, Any]:
    """Add or change by name, all or nothing; the names that were added, changed, unchanged.

    ``refused`` has a row each with its line and reason; where there is one, nothing was written.

    Raises:
        FileError: it is no file of subscriptions.
    """
    asked = read_subscriptions(text, place=place)
    outcomes = store.put([one for _, one in asked], who=who, from_network=from_network)
    report: dict[str, Any] = {"added": [], "changed": [], "unchanged": [], "refused": []}
    for (line, wanted), outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, UsageError):
            report["refused"].append({"name": wanted["name"], "line": line, **outcome.as_json()})
        else:
            report[outcome].append(wanted["name"])
    return report

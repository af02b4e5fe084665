"""``doctor``: every dependency, its version and state, and what to do about each."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import structlog

from ingest.errors import WirewatchError
from ingest.guard import proxy_warning
from ingest.log import Partition

if TYPE_CHECKING:
    from deploy.embedded import Embedded

logger = structlog.get_logger(__name__)

FAR_BEHIND = 10_000
"""Records: half a minute of indexing."""

LOW_DISK_BYTES = 1_000_000_000
"""Below one gigabyte a merge of the index or a busy day can fill the disk."""

SAFE_SQLITE = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""Releases with the WAL reset fix (sqlite.org/wal.html#walresetbug); we write from one
connection only, which the fault needs two of, so an older one is a note and no danger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor."""

    name: str
    state: Literal["ok", "warn", "fail"]
    version: str
    sentence: str
    remedy: str = ""


def examine(shell: Embedded) -> Iterator[Check]:
    """Check everything; a check that breaks is a failed check, never a traceback."""
    checks: tuple[tuple[str, Callable[[Embedded], Check]], ...] = (
        ("python", _python),
        ("sqlite", _sqlite),
        ("tantivy", _tantivy),
        ("disk", _disk),
        ("clock", _clock),
        ("log", _log),
        ("index", _index),
        ("topics", _topics),
        ("feeds", _feeds),
        ("alerts", _alerts),
        ("quarantine", _quarantine),
        ("network", _network),
    )
    for name, check in checks:
        try:
            yield check(shell)
        except WirewatchError as error:
            yield Check(
                name=name, state="fail", version="", sentence=error.sentence, remedy=error.hint
            )


def _python(_shell: Embedded) -> Check:
    return Check(
        name="python",
        state="ok",
        version=sys.version.split()[0],
        sentence=f"Wirewatch {version('wirewatch')} runs on it.",
    )


def _sqlite(_shell: Embedded) -> Check:
    fixed = (
        any(
            sqlite3.sqlite_version_info[:2] == safe[:2] and sqlite3.sqlite_version_info >= safe
            for safe in SAFE_SQLITE
        )
        or sqlite3.sqlite_version_info >= SAFE_SQLITE[-1]
    )
    sentence = (
        "The log writes through it."
        if fixed
        else ("An older release; its WAL reset fault needs two writers, the log has one.")
    )
    return Check(name="sqlite", state="ok", version=sqlite3.sqlite_version, sentence=sentence)


def _tantivy(_shell: Embedded) -> Check:
    return Check(
        name="tantivy",
        state="ok",
        version=version("tantivy"),
        sentence="The index is made with it.",
    )


def _disk(shell: Embedded) -> Check:
    free = shutil.disk_usage(shell.folder.path).free
    low = free < LOW_DISK_BYTES
    return Check(
        name="disk",
        state="warn" if low else "ok",
        version="",
        sentence=f"{free / 1e9:.1f} GB free at {shell.folder.path}.",
        remedy="Free some space: polling pauses when the disk is full." if low else "",
    )


def _clock(shell: Embedded) -> Check:
    said = shell.log.health().get("clock", "ok")
    late = said != "ok"
    now = f"It says {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC."
    return Check(
        name="clock",
        state="warn" if late else "ok",
        version="",
        sentence=f"It is {said}." if late else now,
        remedy="Set the clock (NTP); times in the log never go back meanwhile." if late else "",
    )


def _log(shell: Embedded) -> Check:
    health = shell.log.health()
    sentence = ", ".join(f"{name} {value}" for name, value in health.items() if name != "clock")
    return Check(name="log", state="ok", version="sqlite", sentence=f"{sentence}.")


def _index(shell: Embedded) -> Check:
    health = shell.index.health()
    behind = shell.log.bounds(Partition("stories"))[1] - (
        shell.log.committed("index", Partition("stories")) or 0
    )
    shown = ", ".join(f"{name} {value}" for name, value in health.items())
    return Check(
        name="index",
        state="ok" if behind < FAR_BEHIND else "warn",
        version="tantivy",
        sentence=f"{shown}, {behind} records behind.",
        remedy="" if behind < FAR_BEHIND else "Start wirewatch run; it catches up by itself.",
    )


def _topics(shell: Embedded) -> Check:
    names = ", ".join(f"{t.id}.{t.lang} {t.version}" for t in shell.topics)
    return Check(name="topics", state="ok", version="", sentence=f"In force: {names}.")


def _feeds(shell: Embedded) -> Check:
    states = [health.state for health in shell.feeds.health(now=datetime.now(UTC))]
    bad = [state for state in states if state not in ("ok", "slow", "silent")]
    if not states:
        return Check(
            name="feeds",
            state="warn",
            version="",
            sentence="No feeds yet.",
            remedy="Add some: wirewatch feeds add starter",
        )
    return Check(
        name="feeds",
        state="warn" if bad else "ok",
        version="",
        sentence=f"{len(states)} feeds, {len(bad)} of them not readable now.",
        remedy="See why: wirewatch feeds health" if bad else "",
    )


def _alerts(shell: Embedded) -> Check:
    counts = shell.alert_counts()
    failed = counts.get("failed", 0)
    shown = ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none yet"
    return Check(
        name="alerts",
        state="warn" if failed else "ok",
        version="",
        sentence=f"Alerts: {shown}.",
        remedy="See why: wirewatch alerts list --failed" if failed else "",
    )


def _quarantine(shell: Embedded) -> Check:
    open_rows = [row for row in shell.quarantine.items() if row.state == "open"]
    return Check(
        name="quarantine",
        state="warn" if open_rows else "ok",
        version="",
        sentence=f"{len(open_rows)} set aside.",
        remedy="See why: wirewatch quarantine list" if open_rows else "",
    )


def _network(_shell: Embedded) -> Check:
    warning = proxy_warning(os.environ)
    return Check(
        name="network",
        state="warn" if warning else "ok",
        version="",
        sentence=warning or "Only public addresses are contacted, but for [net] allow.",
        remedy="Unset the proxy variables, or know that Wirewatch ignores them." if warning else "",
    )

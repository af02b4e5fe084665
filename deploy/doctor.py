"""``doctor``: every dependency, its version and state, and what to do about each."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Protocol, TypeVar

import structlog

from deploy.doctor_check import Check
from deploy.doctor_keeping import backups, erasures
from deploy.receiver_state import receivers
from deploy.settings import Settings
from deploy.shell import Shell
from ingest.errors import WirewatchError
from ingest.feed_store import FeedStore
from ingest.guard import proxy_warning
from ingest.kafka_settings import plain_text_warning
from ingest.log import Log
from ingest.quarantine import Quarantine
from search.api_settings import HTTPS_REMEDY, plain_http_warning
from search.elastic_settings import plain_warning

logger = structlog.get_logger(__name__)

FAR_BEHIND = 10_000
"""Records: half a minute of indexing."""

LOW_DISK_BYTES = 1_000_000_000
"""Below one gigabyte a merge of the index or a busy day can fill the disk."""

SAFE_SQLITE = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""Releases with the WAL reset fix (sqlite.org/wal.html#walresetbug); we write from one
connection only, which the fault needs two of, so an older one is a note and no danger."""

ExaminedT = TypeVar("ExaminedT")


class Examined(Protocol):
    """What most checks look at; what it has may raise a WirewatchError, as ``Parts`` do."""

    @property
    def settings(self) -> Settings:
        """The effective settings."""

    @property
    def log(self) -> Log:
        """The log."""

    @property
    def feeds(self) -> FeedStore:
        """The list of feeds."""

    @property
    def quarantine(self) -> Quarantine:
        """What was set aside."""


def examine(shell: Shell) -> Iterator[Check]:
    """Check everything; a check that breaks is a failed check, never a traceback."""
    own = _EMBEDDED if shell.settings.log.backend == "sqlite" else _DISTRIBUTED
    checks: _Checks[Shell] = {"python": _python, **own, **_COMMON}
    yield from (checked(name, check, shell) for name, check in checks.items())


def checked(name: str, check: Callable[[ExaminedT], Check], examined: ExaminedT) -> Check:
    """One row; a failed one where the check breaks."""
    try:
        return check(examined)
    except WirewatchError as error:
        return Check(
            name=name, state="fail", version="", sentence=error.sentence, remedy=error.hint
        )


def _python(_shell: Examined) -> Check:
    return Check(
        name="python",
        state="ok",
        version=sys.version.split()[0],
        sentence=f"Wirewatch {version('wirewatch')} runs on it.",
    )


def _sqlite(_shell: Shell) -> Check:
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


def _tantivy(_shell: Shell) -> Check:
    return Check(
        name="tantivy",
        state="ok",
        version=version("tantivy"),
        sentence="The index is made with it.",
    )


def _disk(shell: Shell) -> Check:
    free = shutil.disk_usage(shell.folder.path).free
    low = free < LOW_DISK_BYTES
    return Check(
        name="disk",
        state="warn" if low else "ok",
        version="",
        sentence=f"{free / 1e9:.1f} GB free at {shell.folder.path}.",
        remedy="Free some space: polling pauses when the disk is full." if low else "",
    )


def _clock(shell: Shell) -> Check:
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


def _log(shell: Examined) -> Check:
    health = shell.log.health()
    state = health.get("state", "ok")
    sentence = ", ".join(f"{name} {value}" for name, value in health.items() if name != "clock")
    return Check(
        name="log",
        state="ok" if state == "ok" else "fail",
        version=shell.settings.log.backend,
        sentence=f"{sentence}.",
        remedy="" if state == "ok" else "Look at Kafka's own log; the stages wait and go on.",
    )


def _index(shell: Shell) -> Check:
    health = shell.index.health()
    behind, state = shell.indexer.lag(), health.get("state", "ok")
    shown = ", ".join(f"{name} {value}" for name, value in health.items())
    start = "run" if shell.settings.log.backend == "sqlite" else "stage index"
    remedy = f"Start wirewatch {start}; it catches up by itself." if behind >= FAR_BEHIND else ""
    return Check(
        name="index",
        state="ok" if state == "ok" and not remedy else "warn",
        version=shell.settings.index.backend,
        sentence=f"{shown}, {behind} records behind.",
        remedy=remedy,
    )


def _stages(shell: Shell) -> Check:
    lags = {stage: behind() for stage, behind in shell.lags().items()}
    late = [stage for stage, behind in lags.items() if behind >= FAR_BEHIND]
    shown = ", ".join(f"{stage} {behind}" for stage, behind in lags.items())
    remedy = f"Start more of them, or see why they wait: wirewatch stage {late[0]}" if late else ""
    return Check(
        name="stages",
        state="warn" if late else "ok",
        version="",
        sentence=f"Records that wait: {shown}.",
        remedy=remedy,
    )


def _encryption(shell: Examined) -> Check:
    own = shell.settings
    said = (plain_text_warning(own.log), plain_warning(own.index), plain_http_warning(own.api))
    found = " ".join(one for one in said if one)
    remedy = 'Set [log] security = "SASL_SSL" and ca_file; in [index] an https url and ca_file.'
    return Check(
        name="encryption",
        state="warn" if found else "ok",
        version="",
        sentence=found or "Nothing leaves this machine in clear.",
        remedy=(remedy if said[0] or said[1] else HTTPS_REMEDY) if found else "",
    )


def _topics(shell: Shell) -> Check:
    names = ", ".join(f"{t.id}.{t.lang} {t.version}" for t in shell.topics)
    return Check(name="topics", state="ok", version="", sentence=f"In force: {names}.")


def _feeds(shell: Examined) -> Check:
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


def _alerts(shell: Shell) -> Check:
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


def _receivers(shell: Shell) -> Check:
    sentence, remedy = receivers(shell.log, shell.settings.mail)
    return Check(
        name="receivers",
        state="warn" if remedy else "ok",
        version="",
        sentence=sentence,
        remedy=remedy,
    )


def _quarantine(shell: Examined) -> Check:
    open_rows = [row for row in shell.quarantine.items() if row.state == "open"]
    return Check(
        name="quarantine",
        state="warn" if open_rows else "ok",
        version="",
        sentence=f"{len(open_rows)} set aside.",
        remedy="See why: wirewatch quarantine list" if open_rows else "",
    )


def _network(_shell: Examined) -> Check:
    warning = proxy_warning(os.environ)
    return Check(
        name="network",
        state="warn" if warning else "ok",
        version="",
        sentence=warning or "Only public addresses are contacted, but for [net] allow.",
        remedy="Unset the proxy variables, or know that Wirewatch ignores them." if warning else "",
    )


_Checks = Mapping[str, Callable[[ExaminedT], Check]]
_EMBEDDED: _Checks[Shell] = {
    "sqlite": _sqlite,
    "tantivy": _tantivy,
    "disk": _disk,
    "clock": _clock,
    "backups": backups,
}
_DISTRIBUTED: _Checks[Shell] = {"stages": _stages}
_COMMON: _Checks[Shell] = {
    "encryption": _encryption,
    "log": _log,
    "index": _index,
    "topics": _topics,
    "feeds": _feeds,
    "alerts": _alerts,
    "erasures": erasures,
    "receivers": _receivers,
    "quarantine": _quarantine,
    "network": _network,
}
ANYWHERE: _Checks[Examined] = {
    "python": _python,
    "encryption": _encryption,
    "network": _network,
    "log": _log,
    "feeds": _feeds,
    "quarantine": _quarantine,
}
"""Those that need no open shell."""

"""Silence counts while work waits, and only then."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from ingest.errors import FencedError, ForeignStoreError, UnavailableError, UsageError
from processors.settings import StageSettings
from processors.stage_health import StageHealth, watched
from processors.stage_page import serving_page

PATIENCE_SECONDS = 20.0


def away() -> int:
    raise UnavailableError("no answer", sentence="Kafka is not reachable.")


def lost() -> int:
    raise ForeignStoreError("older")


def left() -> int:
    raise FencedError("this member has left")


def three() -> int:
    return 3


def becomes_silent(health: StageHealth) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while not health.is_silent() and time.monotonic() < until:
        time.sleep(0.01)
    return health.is_silent()


def test_a_stage_that_does_nothing_while_records_wait_is_at_fault() -> None:
    health = StageHealth("tag", silent_seconds=0.1)
    health.look(three)
    assert becomes_silent(health)
    assert health.fault() == (
        "The stage tag has acknowledged nothing for more than 0.1 s, while 3 records wait."
    )


def test_work_without_lag_is_no_silence_nor_is_a_log_that_is_away() -> None:
    health = StageHealth("tag", silent_seconds=0.1)
    for look in (lambda: 0, away):
        assert becomes_silent(health)
        health.look(look)
        assert not health.is_silent()
    assert health.fault() == "Kafka is not reachable."
    health.look(three)
    assert health.fault() == ""


def test_who_joins_its_group_anew_has_nothing_that_waits_and_is_not_at_fault() -> None:
    health = StageHealth("group", silent_seconds=60)
    health.look(three)
    health.look(left)
    assert (health.lag, health.fault()) == (0, "")


def test_slow_is_not_silent() -> None:
    health = StageHealth("tag", silent_seconds=0.1)
    health.look(three)
    for sign in (health.busy, lambda: health.acked(2)):
        assert becomes_silent(health)
        sign()
        assert not health.is_silent()
    assert health.records == 2


def test_who_watches_is_told_of_silence_and_of_what_a_look_cannot_bear() -> None:
    assert isinstance(told(three), TimeoutError)
    assert isinstance(told(lost), ForeignStoreError)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        health = StageHealth("tag", silent_seconds=60)
        with (
            pytest.raises(UsageError) as caught,
            serving_page(health, StageSettings(metrics_port=port)),
        ):
            pass
    sentence = f"Port {port} on 127.0.0.1 cannot be used: Address already in use."
    assert caught.value.sentence == sentence


def told(lag: Callable[[], int]) -> Exception:
    """What the watch gives to whom it fails."""
    found: list[Exception] = []
    done = threading.Event()

    def failed(error: Exception) -> None:
        found.append(error)
        done.set()

    with watched(StageHealth("tag", silent_seconds=0.1), lag, failed=failed):
        assert done.wait(PATIENCE_SECONDS)
    return found[0]

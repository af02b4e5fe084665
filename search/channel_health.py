"""How a receiver does, for people."""

from __future__ import annotations

from typing import Any

from ingest.log import Log, NewRecord
from ingest.wire import decode, encode
from search.alert_state import ENDPOINT, TOPIC, Endpoint, endpoint_key


def endpoint_of(log: Log, target: str) -> Endpoint:
    """How ``target`` does, as the log has it."""
    record = log.table(TOPIC).get(endpoint_key(target))
    return decode(Endpoint, record.value) if record and record.value else Endpoint(target=target)


def health_row(log: Log, target: str) -> dict[str, Any]:
    """``state`` (``ok``, ``failing``, ``disabled`` or ``unused``) and since when."""
    found = endpoint_of(log, target)
    return {
        "state": state_of(found),
        "failing_since": found.failing_since,
        "failures": found.failures,
        "disabled": found.disabled,
        "last_ok": found.last_ok,
    }


def state_of(endpoint: Endpoint) -> str:
    """``ok``, ``failing``, ``disabled``, or ``unused`` where nothing was sent there yet."""
    if endpoint.disabled:
        return "disabled"
    if endpoint.failures:
        return "failing"
    return "ok" if endpoint.last_ok else "unused"


def enabled(log: Log, target: str) -> None:
    """Put a receiver that was given up into use again: whoever delivers reads it before it sends.

    Raises:
        UnavailableError: the log cannot be written now.
    """
    anew = Endpoint(target=target, last_ok=endpoint_of(log, target).last_ok)
    log.append([NewRecord(topic=TOPIC, key=endpoint_key(target), value=encode(anew))])


def all_endpoints(log: Log) -> list[Endpoint]:
    """Every receiver that was sent to, as it does now."""
    records = log.table(TOPIC).items(ENDPOINT)
    return [decode(Endpoint, one.value) for one in records if one.value is not None]

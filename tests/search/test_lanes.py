"""The queue before a receiver, and what the log says of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ingest.log import NewRecord, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from search.alert_state import TOPIC, Endpoint, endpoint_key
from search.lanes import Lanes

TARGET = "https://hooks.example.org/one"
GONE = Endpoint(target=TARGET, failures=1, disabled="It answered 410 Gone.")


async def test_a_receiver_given_up_just_now_is_not_taken_for_one_in_use(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    try:
        log.ensure_topics(topic_specs())
        lanes = Lanes(log, in_flight_per_host=10)
        lane = await lanes.get(TARGET)
        lane.learnt(GONE, now=datetime.now(UTC))
        assert (await lanes.get(TARGET)).endpoint.disabled  # the log does not know of it yet
        write(log, GONE)
        lane.is_stored = True
        assert (await lanes.get(TARGET)).endpoint.disabled
        write(log, Endpoint(target=TARGET))  # another process put it into use again
        assert not (await lanes.get(TARGET)).endpoint.disabled
    finally:
        log.close()


def write(log: SqliteLog, endpoint: Endpoint) -> None:
    key, value = endpoint_key(endpoint.target), encode(endpoint)
    log.append([NewRecord(topic=TOPIC, key=key, value=value)])

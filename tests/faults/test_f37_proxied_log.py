"""F37, the log's part: a broker behind a line that swallows, breaks or delays what is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from deploy.servers.launcher import ServerFiles
from ingest.errors import UnavailableError
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Partition, TopicSpec, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.worker import Registrar
from tests.contracts.test_register_replay import WINDOW, drain, grouping, tagged
from tests.made_up_news import newsroom
from tests.tcp_proxy import ProxiedKafka, Proxy

pytestmark = [
    pytest.mark.timeout(240),
]

PATIENCE_SECONDS = 60.0
NEWS = Partition("news")
TAGGED = Partition("tagged")
FAULTS: dict[str, tuple[Callable[[Proxy], None], Callable[[Proxy], None]]] = {
    "black hole": (Proxy.black_hole, Proxy.flow),
    "gone": (Proxy.down, Proxy.up),
}
"""What happens to the line, and what mends it."""


@pytest.fixture(scope="module")
def server(
    server_files: ServerFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxiedKafka]:
    made = ProxiedKafka(tmp_path_factory.mktemp("kafka"), server_files)
    try:
        yield made.start()
    finally:
        made.proxy.down()
        made.stop()


@pytest.fixture
def proxy(server: ProxiedKafka) -> Proxy:
    return server.proxy


@pytest.fixture
def log(proxy: Proxy) -> Iterator[KafkaLog]:
    settings = KafkaSettings(
        bootstrap=proxy.address,
        prefix=f"line-{uuid4().hex[:8]}.",
        answer_seconds=2,
        delivery_seconds=3,
    )
    made = KafkaLog(settings)
    yield made
    made.close()


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)


def put(log: KafkaLog, number: int) -> bool:
    """Whether ``number`` was acknowledged."""
    try:
        log.append([NewRecord(topic=NEWS.topic, key="k", value=b"%d" % number)])
    except UnavailableError:
        return False
    return True


@pytest.mark.parametrize("fault", FAULTS)
def test_f37_what_was_acknowledged_stands_and_appends_go_on_by_themselves(
    fault: str, log: KafkaLog, proxy: Proxy
) -> None:
    breaks, mends = FAULTS[fault]
    log.ensure_topics([TopicSpec(name=NEWS.topic)])
    acknowledged = [number for number in range(20) if put(log, number)]
    assert len(acknowledged) == 20
    breaks(proxy)
    try:
        lost = [put(log, number) for number in (20, 21)]
    finally:
        mends(proxy)
    assert lost == [False, False]
    number = 22
    until = time.monotonic() + PATIENCE_SECONDS
    began = time.monotonic()
    while not put(log, number):
        number += 1
        assert time.monotonic() < until
    print(f"{fault}: appended {time.monotonic() - began:.1f} s after the line was mended")
    acknowledged += [number, *(one for one in range(number + 1, number + 20) if put(log, one))]
    stands = [int(record.value or b"") for record in log.read(NEWS, 0, max_records=9_999)]
    assert [one for one in stands if one in acknowledged] == acknowledged


def test_f37_a_slow_line_delays_and_refuses_nothing(log: KafkaLog, proxy: Proxy) -> None:
    log.ensure_topics([TopicSpec(name=NEWS.topic)])
    proxy.delay_seconds = 0.2
    try:
        assert all(put(log, number) for number in range(5))
        assert len(log.read(NEWS, 0)) == 5
    finally:
        proxy.delay_seconds = 0.0


@pytest.mark.parametrize("fault", FAULTS)
def test_f37_the_register_waits_for_the_line_and_goes_on(
    fault: str, log: KafkaLog, proxy: Proxy, tmp_path: Path
) -> None:
    breaks, mends = FAULTS[fault]
    log.ensure_topics(topic_specs())
    made = [tagged(one) for one in newsroom(4, 60)]

    def feed(begin: int, end: int) -> None:
        log.append(
            [
                NewRecord(topic="tagged", key=one.article.id, value=encode(one))
                for one in made[begin:end]
            ]
        )

    stop = threading.Event()
    held, go_on = threading.Event(), threading.Event()
    go_on.set()

    def crash_point(name: str) -> None:
        if name == "K4":
            held.set()
            go_on.wait(PATIENCE_SECONDS)

    registrar = Registrar(
        log, WINDOW, quarantine=Quarantine(log, tmp_path), crash_point=crash_point
    )
    thread = threading.Thread(target=registrar.run, args=(stop,), daemon=True)
    thread.start()
    try:
        feed(0, 20)
        wait_for(lambda: log.committed("register", TAGGED) == 20)
        go_on.clear()
        held.clear()
        feed(20, 40)
        assert held.wait(PATIENCE_SECONDS)  # a batch is decided and not written
        breaks(proxy)
        try:
            go_on.set()
            wait_for(lambda: bool(registrar.loop.delay_seconds))
        finally:
            mends(proxy)
        wait_for(lambda: registrar.loop.done >= 40)
        feed(40, 60)
        wait_for(lambda: log.committed("register", TAGGED) == 60)
    finally:
        go_on.set()
        stop.set()
        thread.join()
        registrar.loop.close()
    assert registrar.loop.quarantined == 0
    assert grouping(log) == undisturbed(tmp_path)


def undisturbed(folder: Path) -> dict[str, tuple[object, ...]]:
    """What a register makes of the same news on one machine."""
    log = SqliteLog(folder / "log.sqlite")
    log.ensure_topics(topic_specs())
    for one in newsroom(4, 60):
        record = tagged(one)
        log.append([NewRecord(topic="tagged", key=record.article.id, value=encode(record))])
    drain(log, folder / "q")
    found = grouping(log)
    log.close()
    return found

"""Real servers from pip alone: they start, keep their data, end with us, and say what is wrong."""

from __future__ import annotations

import gc
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.extra import PACKAGES, need_extra
from deploy.servers.jars import JarFolder, locked_jars
from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from deploy.servers.lock import ROOTS
from deploy.servers.memory import need_memory
from ingest.errors import UnavailableError, UsageError
from tests.running import COMMAND, ROOT, Place

pytestmark = pytest.mark.timeout(300)  # the first of all loads 90 MB

ANSWER_SECONDS = 120.0
GONE_SECONDS = 40.0
"""Of which 20 are the launcher's own limit for a stop in order."""


# -- the servers ---------------------------------------------------------------------------------


def test_both_servers_answer_and_are_the_versions_of_the_lock(
    kafka_server: KafkaServer, elasticsearch_server: ElasticsearchServer
) -> None:
    write_record(kafka_server.address, "servers-answer", b"1")
    found = httpx.get(elasticsearch_server.url).json()

    assert read_records(kafka_server.address, "servers-answer") == [b"1"]
    assert found["version"]["number"] == ElasticsearchServer.version
    assert found["cluster_uuid"] not in {"", "_na_"}


def test_a_killed_kafka_is_noticed_and_starts_again_with_its_records(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    server = KafkaServer(tmp_path / "kafka", server_files, quick=True).start()
    try:
        write_record(server.address, "kept", b"before the kill")
        server.kill()
        with pytest.raises(UnavailableError, match="killed"):
            server.check()
        server.start().check()
        assert read_records(server.address, "kept") == [b"before the kill"]
    finally:
        server.stop()


def test_a_server_that_ends_at_its_start_shows_its_log_and_where_it_lies(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    server = KafkaServer(tmp_path / "kafka", server_files, quick=True)
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "data" / "meta.properties").write_text("version=1\nnode.id=7\n")
    with pytest.raises(UnavailableError) as caught:
        server.start()

    assert caught.value.sentence.startswith(f"Kafka {KafkaServer.version} ended at its start")
    assert str(server.log) in caught.value.hint
    assert "meta.properties" in caught.value.hint
    assert "\tat " not in caught.value.hint
    assert server.pid == 0


def test_a_port_in_use_is_one_sentence(server_files: ServerFiles, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ElasticsearchServer(tmp_path, server_files, port=port)
        with pytest.raises(UsageError) as caught:
            server.start()
    assert caught.value.sentence == f"Port {port} on 127.0.0.1 is in use."
    assert "--elasticsearch-port" in caught.value.hint


# -- the command ---------------------------------------------------------------------------------


def test_sigterm_stops_both_in_order_and_kill_9_leaves_no_java(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    place = Place(folder=tmp_path, data_name="dáta, a")
    with cluster(place, server_files) as (process, facts):
        write_record(facts["kafka"], "kept", b"1")
        document = f"{facts['elasticsearch']}/kept/_doc/1?refresh=true"
        httpx.put(document, json={"text": "one"}, timeout=60).raise_for_status()
        process.send_signal(signal.SIGTERM)
        assert process.wait(GONE_SECONDS) == 0
        assert alive(facts["pids"]) == set()

    with cluster(place, server_files) as (process, facts):
        assert read_records(facts["kafka"], "kept") == [b"1"]
        found = httpx.get(f"{facts['elasticsearch']}/kept/_doc/1", timeout=60).json()
        assert found["_source"] == {"text": "one"}
        process.kill()
        process.wait()
        await_end(facts["pids"])


def test_kill_9_in_the_middle_of_a_start_leaves_no_java(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    place = Place(folder=tmp_path)
    process = start(place, server_files)
    children: dict[str, int] = {}
    deadline = time.monotonic() + ANSWER_SECONDS
    while not children and time.monotonic() < deadline:
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        )
        rows = [line.split() for line in listed.stdout.splitlines()]
        children = {pid: int(pid) for pid, parent in rows if int(parent) == process.pid}
    process.kill()
    process.communicate()
    assert children
    await_end(children)


# -- files and memory ----------------------------------------------------------------------------


@pytest.fixture
def jgo() -> Iterator[None]:
    """Where jgo is missing the test is skipped; what it leaves open is closed before the next."""
    pytest.importorskip("jgo")
    yield
    gc.collect()


leaves_sockets = pytest.mark.filterwarnings(
    # jgo closes no answer that failed; whoever loads servers in earnest ends soon.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@leaves_sockets
@pytest.mark.usefixtures("jgo")
@pytest.mark.parametrize(
    ("body", "code"), [(b"not the jar", "servers-not-trusted"), (None, "servers-not-loaded")]
)
def test_a_jar_that_is_wrong_or_not_there_is_refused_and_not_kept(
    body: bytes | None, code: str, tmp_path: Path
) -> None:
    with repository(body) as url, pytest.raises(UnavailableError) as caught:
        JarFolder(path=tmp_path, repositories={"here": url}).class_path("compiler")

    assert caught.value.code == code
    assert caught.value.sentence.startswith("ecj-")
    assert list(tmp_path.iterdir()) == []


@leaves_sockets
@pytest.mark.usefixtures("jgo")
def test_a_connection_that_breaks_is_tried_again(tmp_path: Path) -> None:
    broken = iter([True, True, False])
    with repository(b"not the jar", breaks=lambda: next(broken)) as url:
        with pytest.raises(UnavailableError) as caught:
            JarFolder(path=tmp_path, repositories={"here": url}).class_path("compiler")
        assert next(broken, None) is None
    assert caught.value.code == "servers-not-trusted"  # the third answer came whole


@leaves_sockets
@pytest.mark.usefixtures("jgo")
def test_a_repository_that_cannot_be_reached_is_a_sentence_with_a_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(UnavailableError) as caught:
        JarFolder(path=tmp_path, repositories={"here": url}).class_path("compiler")
    assert "Check the network" in caught.value.hint


@leaves_sockets
@pytest.mark.usefixtures("jgo")
def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot write") as caught:
        JarFolder(path=tmp_path / "file").class_path("compiler")
    assert "--servers" in caught.value.hint


def test_a_missing_extra_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UnavailableError) as caught:
        need_extra()
    assert caught.value.hint == "pip install 'wirewatch[cluster]'"


def test_too_little_memory_is_said_before_the_start() -> None:
    need_memory("a server", 1 << 20)
    with pytest.raises(UnavailableError, match="1024 MB are needed, 1 MB are free") as caught:
        need_memory("a server", 1 << 30, available_bytes=1 << 20)
    assert caught.value.code == "memory"


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS does not bind here")
def test_java_without_memory_is_said_so(server_files: ServerFiles, tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    arguments = place.arguments("cluster", "--servers", str(server_files.jars.path))
    ran = subprocess.run(
        ["sh", "-c", 'ulimit -v 1500000; exec "$@"', "sh", sys.executable, *COMMAND, *arguments],
        cwd=ROOT,
        env=place.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert "There is not enough memory for Kafka" in ran.stderr
    assert "server.log" in ran.stderr


def test_the_lock_holds_every_root_and_no_two_files_of_one_name() -> None:
    for server, roots in ROOTS.items():
        found = {f"{jar.group}:{jar.name}:{jar.version}" for jar in locked_jars(server)}
        assert set(roots) <= found, "run: python -m deploy.servers.lock"
    names = [jar.file_name for server in ROOTS for jar in locked_jars(server)]
    assert len(names) == len(set(names))


# -- what they use -------------------------------------------------------------------------------


def write_record(address: str, topic: str, value: bytes) -> None:
    kafka = pytest.importorskip("kafka")  # of another extra
    admin = kafka.KafkaAdminClient(bootstrap_servers=address)
    new_topic = pytest.importorskip("kafka.admin").NewTopic
    admin.create_topics([new_topic(topic, num_partitions=1, replication_factor=1)])
    admin.close()
    producer = kafka.KafkaProducer(bootstrap_servers=address)
    producer.send(topic, value).get(timeout=60)
    producer.close()


def read_records(address: str, topic: str) -> list[bytes]:
    kafka = pytest.importorskip("kafka")
    consumer = kafka.KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    partition = kafka.TopicPartition(topic, 0)
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    found: list[bytes] = []
    while consumer.position(partition) < end:
        for records in consumer.poll(1000).values():
            found += [record.value for record in records]
    consumer.close()
    return found


def start(place: Place, files: ServerFiles) -> subprocess.Popen[str]:
    verb = ["cluster", "--json", "--servers", str(files.jars.path)]
    return subprocess.Popen(
        [sys.executable, *COMMAND, *place.arguments(*verb)],
        cwd=ROOT,
        env=place.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def cluster(
    place: Place, files: ServerFiles
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The command, once it has printed its line; killed at the end where it still runs."""
    with start(place, files) as process:
        try:
            assert process.stdout
            assert process.stderr
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield process, json.loads(line)
        finally:
            process.kill()


def alive(pids: Mapping[str, int]) -> set[str]:
    """Which of these run; a zombie whose reaper is slow has ended."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    running = {int(pid) for pid, state in rows if not state.startswith("Z")}
    return {name for name, pid in pids.items() if pid in running}


def await_end(pids: Mapping[str, int]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while left := alive(pids):
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.1)


@contextmanager
def repository(body: bytes | None, breaks: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """A Maven repository that answers everything with ``body``; with 404 where it is None.

    An answer ends half-way where ``breaks``.
    """

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            whole = body or b""
            is_jar = self.path.endswith(".jar")
            self.wfile.write(whole[: len(whole) // 2] if is_jar and breaks() else whole)

        def log_message(self, *_: object) -> None:
            """Nothing: tests print no access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()

"""A real Kafka and a real Elasticsearch for every test that asks: started once, at the first one.

Skipped with the reason where the extra ``cluster`` is missing or the servers' files (90 MB) were
not loaded yet by ``wirewatch cluster --load``; with ``WIREWATCH_REQUIRE_CLUSTER=1`` they are loaded
here, and what is not to be had is a failure. Tests share them: name topics and indices so that no
other test meets them. Who kills or restarts a server starts one of his own.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.cluster import default_servers_folder, load_servers
from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.jars import JarFolder
from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from ingest.errors import UnavailableError
from search.elastic_settings import ElasticSettings

LEFT_OPEN = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")
"""kafka-python 3.0.12 leaves the socket of a refused connection to the garbage collector."""


_KAFKA = frozenset({"kafka_server", "mortal_kafka"})
_ELASTICSEARCH = frozenset({"elasticsearch_server", "mortal_elasticsearch"})


def meets_kafka(fixtures: Collection[str]) -> bool:
    """Whether a test with these fixtures has a Kafka; one of Elasticsearch alone has not."""
    asked = {*fixtures}
    return bool(asked & _KAFKA) or ("server_files" in asked and not asked & _ELASTICSEARCH)


@pytest.fixture(autouse=True)
def collected(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Collect those sockets here and not in another test; log records would hold them."""
    if not meets_kafka(request.fixturenames):
        yield
        return
    with caplog.at_level(logging.CRITICAL, logger="kafka"):
        yield
    gc.collect()


@pytest.fixture(scope="session")
def server_files() -> ServerFiles:
    """The files of both servers, in the user's cache folder."""
    is_required = os.environ.get("WIREWATCH_REQUIRE_CLUSTER") == "1"
    jars = JarFolder(path=default_servers_folder())
    if not is_required and any(map(jars.missing, ("kafka", "elasticsearch"))):
        pytest.skip("The servers are not loaded. Load them with: wirewatch cluster --load")
    try:
        return load_servers()
    except UnavailableError as error:
        reason = f"{error.sentence} {error.hint}"
    if is_required:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka_server(
    server_files: ServerFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaServer]:
    """A Kafka that answers on ``kafka_server.address``."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"), server_files, quick=True)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def kafka(kafka_server: KafkaServer) -> str:
    """The address of the Kafka that all tests share."""
    return kafka_server.address


@pytest.fixture
def mortal_kafka(server_files: ServerFiles, tmp_path: Path) -> Iterator[KafkaServer]:
    """A Kafka of the test's own, started, to be killed."""
    server = KafkaServer(tmp_path / "kafka", server_files, quick=True)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def elasticsearch_server(
    server_files: ServerFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ElasticsearchServer]:
    """An Elasticsearch that answers on ``elasticsearch_server.url``."""
    server = ElasticsearchServer(tmp_path_factory.mktemp("elasticsearch"), server_files, quick=True)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def mortal_elasticsearch(
    server_files: ServerFiles, tmp_path: Path
) -> Iterator[ElasticsearchServer]:
    """An Elasticsearch of the test's own, started, to be killed."""
    server = ElasticsearchServer(tmp_path / "elasticsearch", server_files, quick=True)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def elastic(elasticsearch_server: ElasticsearchServer) -> Iterator[ElasticSettings]:
    """Elasticsearch with a prefix that no other test uses; what has it is deleted afterwards."""
    pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")
    from tests.elastic_room import remove_all  # noqa: PLC0415  needs the extra

    settings = ElasticSettings(url=elasticsearch_server.url, prefix=f"test-{uuid4().hex[:8]}")
    yield settings
    remove_all(settings)

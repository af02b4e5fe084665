"""The compose file as far as it goes without containers.

The real Kafka with its very settings, TLS and password, and a process for each of our services with
the very command and variables of the file. Elasticsearch is the real one of the tests, behind TLS
with the file's certificate; it does not ask for the login, and there is no Kibana.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from deploy.servers.ports import free_port
from ingest.errors import WirewatchError
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Partition, TopicSpec
from tests.deploy.test_compose import SERVICES
from tests.deploy.test_compose_secrets import make_secrets
from tests.deployment import DEPLOY, STAGES, answering, assert_ended
from tests.running import Place, Running

pytestmark = pytest.mark.timeout(300)  # servers to start, then six processes on them

SETTINGS = DEPLOY / "compose" / "kafka" / "server.properties"


class ComposedKafka(KafkaServer):
    """Kafka with the file of compose; only places and ports are this machine's."""

    def __init__(self, folder: Path, files: ServerFiles, secrets: Path) -> None:
        super().__init__(folder, files, quick=True)
        self.secrets = secrets
        self.clients = free_port()

    def prepare(self) -> None:
        super().prepare()  # a folder is formatted before its settings are these
        text = SETTINGS.read_text("ascii")
        for there, here in {
            "/run/secrets": str(self.secrets),
            "/var/lib/kafka/data": "data",
            "CLIENTS://kafka:9092": f"CLIENTS://localhost:{self.clients}",
            "CLIENTS://:9092": f"CLIENTS://127.0.0.1:{self.clients}",
            "127.0.0.1:9093": f"127.0.0.1:{self._controller_port}",
            "127.0.0.1:9094": f"127.0.0.1:{self.port}",
        }.items():
            assert there in text, there
            text = text.replace(there, here)
        (self.folder / "server.properties").write_text(text, "ascii")


@pytest.fixture(scope="module")
def composed(
    server_files: ServerFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComposedKafka]:
    folder = tmp_path_factory.mktemp("composed")
    make_secrets(folder / "secrets")
    server = ComposedKafka(folder / "kafka", server_files, folder / "secrets")
    try:
        yield server.start()
    finally:
        server.stop()


def settings(server: ComposedKafka, *, login: str = "kafka") -> KafkaSettings:
    return KafkaSettings(
        bootstrap=f"localhost:{server.clients}",
        security="SASL_SSL",
        ca_file=str(server.secrets / "ca.crt"),
        sasl_mechanism="PLAIN",
        sasl_user="wirewatch",
        sasl_password_file=str(server.secrets / f"{login}.password"),
    )


def test_a_log_with_the_password_and_the_authority_writes_and_reads(
    composed: ComposedKafka,
) -> None:
    log = KafkaLog(settings(composed))
    try:
        log.ensure_topics([TopicSpec(name="composed")])
        log.append([NewRecord(topic="composed", key="k", value=b"v")])

        assert [one.value for one in log.read(Partition("composed", 0), 0)] == [b"v"]
    finally:
        log.close()


def test_another_password_opens_nothing(composed: ComposedKafka) -> None:
    with pytest.raises(WirewatchError):
        KafkaLog(settings(composed, login="elastic")).ensure_topics([])


def test_clients_without_tls_are_not_answered(composed: ComposedKafka) -> None:
    with pytest.raises(WirewatchError):
        KafkaLog(KafkaSettings(bootstrap=f"localhost:{composed.clients}")).ensure_topics([])


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Place):
    """One of our services, as a process: places, ports and names are this machine's."""

    name: str
    port: int
    here: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        given = Place.environment(self)
        for variable, value in SERVICES[self.name]["environment"].items():
            text = value
            for there, here in self.here.items():
                text = text.replace(there, here)
            given[variable] = text
        for absent in ("WIREWATCH_KIBANA__URL", "WIREWATCH_STAGE__METRICS_HOST"):
            given.pop(absent, None)
        return given | {
            "WIREWATCH_API__PORT": "0",
            "WIREWATCH_INDEX__PREFIX": "composed",
            "WIREWATCH_STAGE__METRICS_PORT": str(self.port),
        }


@asynccontextmanager
async def behind_tls(url: str, secrets: Path) -> AsyncIterator[str]:
    """What answers at ``url``, with Elasticsearch's certificate in front of it."""
    target = urlsplit(url)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # one side was first
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(pass_on(reader, inside[1]), pass_on(inside[0], writer))

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(secrets / "elasticsearch.crt", secrets / "elasticsearch.key")
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_every_service_of_ours_works_with_its_command_and_variables(
    composed: ComposedKafka, elasticsearch_server: ElasticsearchServer, tmp_path: Path
) -> None:
    async with behind_tls(elasticsearch_server.url, composed.secrets) as url:
        here = {
            "/run/secrets": str(composed.secrets),
            "kafka:9092": f"localhost:{composed.clients}",
            "https://elasticsearch:9200": url,
        }
        await every_service_works(here, tmp_path)


async def every_service_works(here: Mapping[str, str], folder: Path) -> None:
    services = {
        name: Service(folder=folder / name, name=name, port=free_port(), here=here)
        for name in ("setup", *STAGES, "serve")
    }
    for service in services.values():
        service.folder.mkdir()
    setup = services.pop("setup")
    done = await asyncio.to_thread(setup.call, *SERVICES["setup"]["command"], check=False)
    assert done.returncode == 0, done.stderr

    running = {name: Running(one, *SERVICES[name]["command"]) for name, one in services.items()}
    try:
        for name, one in running.items():
            await answering(one, f"http://127.0.0.1:{services[name].port}/healthz")
    finally:
        ended = {name: await one.terminate() for name, one in running.items()}
    assert_ended(ended)

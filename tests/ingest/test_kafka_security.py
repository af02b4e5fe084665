"""TLS and logins to a real Kafka, and one sentence for each way in which they fail."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from deploy.servers.launcher import ServerFiles
from ingest.errors import FileError, StoreError, UnavailableError, WirewatchError
from ingest.kafka_diagnosis import diagnosis
from ingest.kafka_opening import open_kafka_log
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Partition, TopicSpec
from tests.secure_kafka import PASSWORD, USER, SecureKafka, write_pem

pytestmark = pytest.mark.usefixtures("server_files")


@pytest.fixture(scope="module")
def broker(
    server_files: ServerFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecureKafka]:
    server = SecureKafka(tmp_path_factory.mktemp("secure-kafka"), server_files)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    return str(path)


@pytest.fixture
def tls(broker: SecureKafka) -> KafkaSettings:
    """Settings with which the listener in TLS works."""
    return KafkaSettings(
        bootstrap=broker.at("TLS"), security="SSL", ca_file=broker.ca_file, connect_seconds=1
    )


@pytest.fixture
def login(tls: KafkaSettings, broker: SecureKafka, password_file: str) -> KafkaSettings:
    """Settings with which the listener with TLS and a login works."""
    return replace(
        tls,
        bootstrap=broker.at("LOGIN"),
        security="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_user=USER,
        sasl_password_file=password_file,
    )


def works(settings: KafkaSettings) -> None:
    """Every kind of client connects: admin, producer, reader, member, table."""
    log = open_kafka_log(settings)
    try:
        log.ensure_topics([TopicSpec(name="news", compacted=True)])
        (offset,) = log.append([NewRecord(topic="news", key="k", value=b"v")])
        (record,) = log.read(Partition("news"), offset)
        assert record.value == b"v"
        newest = log.table("news").get("k")
        assert newest is not None
        member = log.consumer("readers", ["news"])
        until = time.monotonic() + 20
        while not member.poll(timeout_seconds=0.2):
            assert time.monotonic() < until
        member.close()
    finally:
        log.close()


def refused(settings: KafkaSettings) -> WirewatchError:
    """The error of opening the log, which comes in time and holds no secret."""
    begun = time.monotonic()
    with pytest.raises(WirewatchError) as caught:
        open_kafka_log(settings)
    assert time.monotonic() - begun < settings.connect_seconds + 1  # five by default
    said = f"{caught.value} {caught.value.sentence} {caught.value.hint}"
    assert PASSWORD not in said
    assert "bootstrap from" not in caught.value.sentence
    return caught.value


def test_tls_works_with_the_right_authority(tls: KafkaSettings) -> None:
    works(tls)


def test_a_login_over_tls_works_with_a_plain_password(login: KafkaSettings) -> None:
    works(login)


def test_a_login_over_tls_works_with_scram(login: KafkaSettings, broker: SecureKafka) -> None:
    broker.add_scram()
    works(replace(login, sasl_mechanism="SCRAM-SHA-512"))


def test_our_own_certificate_lets_us_in_where_one_is_asked_for(
    tls: KafkaSettings, broker: SecureKafka, tmp_path: Path
) -> None:
    ours = tmp_path / "ours.pem"
    write_pem(ours, broker.authority.issue_cert("worker"))
    name = str(ours)
    works(replace(tls, bootstrap=broker.at("MUTUAL"), certificate_file=name, key_file=name))


@dataclass(frozen=True)
class Case:
    """A listener, what is changed in the settings, and the words that tell."""

    listener: str
    changes: dict[str, str]
    sentence: str
    setting: str


NO_LOGIN = {"security": "SSL"}
CASES = {
    "another authority": Case("TLS", {"ca_file": "OTHER_CA"}, "signed by none", "ca_file"),
    "the system's authorities": Case("TLS", {"ca_file": ""}, "signed by none", "ca_file"),
    "another name": Case("OTHER", {}, "another name than 127.0.0.1", "bootstrap"),
    "an old certificate": Case("OLD", {}, "has expired", "Renew"),
    "no certificate of ours": Case("MUTUAL", {}, "a certificate of ours", "certificate_file"),
    "plain text to TLS": Case("TLS", {"security": "PLAINTEXT"}, "wants TLS", "security"),
    "TLS to plain text": Case("PLAIN", {}, "speaks no TLS", "security"),
    "no login over TLS": Case("LOGIN", {}, "wants a login", "sasl_user"),
    "no login": Case("BARE", {"security": "PLAINTEXT"}, "wants a login", "sasl_user"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_wrong_with_tls_is_one_sentence_that_names_the_setting(
    case: Case, tls: KafkaSettings, broker: SecureKafka, tmp_path: Path
) -> None:
    other = tmp_path / "other-ca.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    changes = {key: str(other) if v == "OTHER_CA" else v for key, v in case.changes.items()}
    address = broker.address if case.listener == "PLAIN" else broker.at(case.listener)
    error = refused(replace(tls, bootstrap=address, **changes))  # type: ignore[arg-type]  # by name
    assert isinstance(error, StoreError)
    assert not error.retry
    assert case.sentence in error.sentence
    assert case.setting in error.hint


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
@pytest.mark.parametrize("wrong", ["password", "user"])
def test_f52_a_refused_login_is_one_sentence_without_the_password(
    mechanism: str,
    wrong: str,
    login: KafkaSettings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes = {"sasl_mechanism": mechanism}
    if wrong == "user":
        changes["sasl_user"] = "nobody"
    else:
        path = tmp_path / "wrong"
        path.write_text(f"{PASSWORD}-not")
        changes["sasl_password_file"] = str(path)
    with caplog.at_level(logging.DEBUG, logger="kafka"):
        error = refused(replace(login, **changes))  # type: ignore[arg-type]  # by name
    logged = caplog.text
    caplog.clear()
    assert isinstance(error, StoreError)
    assert "refuses the login of" in error.sentence
    assert "sasl_password_file" in error.hint
    assert "Connection lost" in logged
    assert PASSWORD not in logged


def test_f52_the_password_is_in_no_log_line_of_a_login_that_works(
    login: KafkaSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="kafka"):
        works(login)
    logged = caplog.text
    caplog.clear()
    assert "KafkaSSLTransport" in logged
    assert PASSWORD not in logged


def test_a_way_of_login_that_kafka_does_not_know_is_one_sentence(login: KafkaSettings) -> None:
    error = refused(replace(login, sasl_mechanism="SCRAM-SHA-256"))
    assert "SCRAM-SHA-256" in error.sentence
    assert "sasl_mechanism" in error.hint


def test_a_login_where_none_is_taken_is_one_sentence(
    login: KafkaSettings, broker: SecureKafka
) -> None:
    error = refused(replace(login, bootstrap=broker.at("TLS")))
    assert isinstance(error, StoreError)
    assert "takes no login" in error.sentence
    assert "security" in error.hint


@pytest.mark.parametrize("setting", ["ca_file", "certificate_file", "key_file"])
@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_file_that_cannot_be_used_is_named_with_its_setting(
    setting: str, content: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_text(content)
    own = tmp_path / "own.pem"
    write_pem(own, trustme.CA().issue_cert("worker"))
    files = {"certificate_file": str(own), "key_file": str(own), setting: str(path)}
    error = refused(KafkaSettings(security="SSL", **files))  # type: ignore[arg-type]  # by name
    assert isinstance(error, FileError)
    assert setting in error.hint


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_password_file_that_holds_none_is_one_sentence(
    content: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
    error = refused(KafkaSettings(security="SASL_SSL", sasl_password_file=str(path)))
    assert isinstance(error, FileError)
    assert str(path) in error.sentence
    assert "sasl_password_file" in error.hint


def test_a_host_that_says_nothing_is_only_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for security in ("PLAINTEXT", "SSL"):
            begun = time.monotonic()
            error = diagnosis(KafkaSettings(bootstrap=address, security=security))
            assert isinstance(error, UnavailableError)
            assert time.monotonic() - begun < 1.5


def test_a_key_with_a_passphrase_asks_nobody(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    write_pem(own, trustme.CA().issue_cert("worker"), passphrase=b"secret")
    error = refused(KafkaSettings(security="SSL", certificate_file=str(own), key_file=str(own)))
    assert "without a passphrase" in error.hint

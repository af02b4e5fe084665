"""How to reach a Kafka cluster: the settings, and what they mean to every client of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from ingest.errors import FileError

_FIRST_RECONNECT_MS = 100
_LAST_RECONNECT_MS = 1_000
"""The client's own ceiling of 30 s cost 18 s after a broker had come back."""

Security = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Where Kafka is, who we are there, and how long we wait for it."""

    bootstrap: Annotated[
        str, Field(min_length=1, description="Brokers to begin with, as host:port, host:port.")
    ] = "127.0.0.1:9092"
    prefix: Annotated[
        str, Field(description="What the names of our topics and consumer groups begin with.")
    ] = "wirewatch."
    security: Annotated[
        Security, Field(description="Kafka's security protocol: with or without TLS and a login.")
    ] = "PLAINTEXT"
    ca_file: Annotated[
        str, Field(description="Certificates that the brokers' are signed by; empty: the system's.")
    ] = ""
    certificate_file: Annotated[
        str, Field(description="Our own certificate, where brokers ask for one.")
    ] = ""
    key_file: Annotated[str, Field(description="The key of our own certificate.")] = ""
    sasl_mechanism: Annotated[Mechanism, Field(description="How the login is proved.")] = (
        "SCRAM-SHA-512"
    )
    sasl_user: Annotated[str, Field(description="The login's name.")] = ""
    sasl_password_file: Annotated[
        str, Field(description="A file that holds the login's password and nothing else.")
    ] = ""
    replication: Annotated[
        int, Field(ge=1, le=10, description="Copies of each new topic; 3 on a real cluster.")
    ] = 1
    member: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9._-]{0,200}$",
            description="This worker's lasting, unique name; with one, a restart within "
            "session_seconds moves no partition.",
        ),
    ] = ""
    session_seconds: Annotated[
        float, Field(ge=1, description="Silence after which a worker's partitions move on.")
    ] = 10.0
    poll_seconds: Annotated[
        float, Field(ge=1, description="Longest work on one batch before partitions move on.")
    ] = 300.0
    connect_seconds: Annotated[
        float, Field(gt=0, description="Longest wait for a first broker to answer.")
    ] = 4.0
    answer_seconds: Annotated[
        float, Field(gt=0, description="Longest wait for an answer to a question or a commit.")
    ] = 5.0
    delivery_seconds: Annotated[
        float, Field(gt=0, description="Longest wait for an append to be acknowledged.")
    ] = 30.0

    def servers(self) -> list[str]:
        """The brokers to begin with."""
        return [one.strip() for one in self.bootstrap.split(",") if one.strip()]


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that every client of kafka-python gets.

    Raises:
        FileError: the password file cannot be read.
    """
    return {
        "bootstrap_servers": settings.servers(),
        "bootstrap_timeout_ms": round(settings.connect_seconds * 1000),
        "reconnect_backoff_ms": _FIRST_RECONNECT_MS,
        "reconnect_backoff_max_ms": _LAST_RECONNECT_MS,
        "security_protocol": settings.security,
        **_tls(settings),
        **_login(settings),
    }


def _tls(settings: KafkaSettings) -> dict[str, Any]:
    if not settings.security.endswith("SSL"):
        return {}
    return {
        "ssl_cafile": settings.ca_file or None,
        "ssl_certfile": settings.certificate_file or None,
        "ssl_keyfile": settings.key_file or None,
    }


def _login(settings: KafkaSettings) -> dict[str, Any]:
    if not settings.security.startswith("SASL"):
        return {}
    path = Path(settings.sasl_password_file)
    try:
        password = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(
            f"{path}: {error}",
            sentence=f"The file with Kafka's password cannot be read: {path}.",
            hint="Name a readable file in [log] sasl_password_file.",
            place=str(path),
        ) from error
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_user,
        "sasl_plain_password": password,
    }

"""How to reach a Kafka cluster: the settings, and the warning about those in plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ingest.loopback import is_loopback

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


def plain_text_warning(settings: KafkaSettings) -> str:
    """A sentence where a network outside this machine sees what we send; empty where none does."""
    if settings.security.endswith("SSL"):
        return ""
    outside = [one for one in settings.servers() if not is_loopback(one.rpartition(":")[0])]
    if not outside:
        return ""
    secrets = (
        "everything, the password included,"
        if settings.security.startswith("SASL")
        else "everything"
    )
    return (
        f"Kafka at {', '.join(outside)} is reached without TLS: whoever is on the way can read and "
        f'change {secrets} there. Set [log] security = "SASL_SSL", ca_file and sasl_user.'
    )

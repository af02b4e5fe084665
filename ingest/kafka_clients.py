"""Making clients of kafka-python that leave nothing behind where they cannot be made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from kafka import errors as kafka
from kafka.net.compat import KafkaNetClient
from kafka.net.connection import KafkaConnection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from ingest.errors import StoreError
from ingest.kafka_diagnosis import diagnosis
from ingest.kafka_errors import LOGIN, store_error
from ingest.kafka_security import security_options
from ingest.kafka_settings import KafkaSettings

_FIRST_RECONNECT_MS = 100
_LAST_RECONNECT_MS = 1_000
"""The client's own ceiling of 30 s cost 18 s after a broker had come back."""

ClientT = TypeVar("ClientT")


class _Connections(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python has no types
    """Keeps what Kafka says to our login, which kafka-python 3.0.12 only writes to its log."""

    refusal: kafka.KafkaError | None = None

    def get_connection(self, *place: Any, **how: Any) -> KafkaConnection:
        """The connection to a node."""
        connection = super().get_connection(*place, **how)
        connection.init_future.add_errback(self._note)
        return connection

    def _note(self, error: Exception) -> None:
        if isinstance(error, LOGIN):
            self.refusal = error
        elif self.broker_version_data is not None and not self.refusal:
            # It spoke Kafka and hung up on the login: an answer that comes together with the end
            # of the connection is lost in kafka-python.
            self.refusal = kafka.SaslAuthenticationFailedError(str(error))


class _Network(KafkaNetClient):  # type: ignore[misc]  # kafka-python has no types
    def __init__(self, **configs: Any) -> None:
        net = NetworkSelector(**configs)
        self.connections = _Connections(net, **configs)
        super().__init__(net=net, manager=self.connections, **configs)


def _quiet() -> None:
    """Keep kafka-python from logging all that is sent: the password is in it, at level DEBUG."""
    for name in ("kafka.protocol.parser", "kafka.net.connection", "kafka.admin.client"):
        logger = logging.getLogger(name)
        if _not_in_detail not in logger.filters:
            logger.addFilter(_not_in_detail)


def _not_in_detail(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def opened(make: Callable[..., ClientT], settings: KafkaSettings, **options: Any) -> ClientT:
    """A client of kafka-python, connected.

    Raises:
        UnavailableError: no broker answers within ``connect_seconds``.
        StoreError: TLS or the login fails, Kafka refuses a setting, or a codec is missing.
        FileError: a file that the settings name cannot be used.
    """
    _quiet()
    given = client_options(settings)
    networks: list[_Network] = []

    def network(**configs: Any) -> _Network:
        networks.append(_Network(**configs))
        return networks[-1]

    try:
        return make(kafka_client=network, **given, **options)
    except (kafka.KafkaError, RuntimeError) as error:
        for one in networks:  # its thread would go on connecting for ever (kafka-python 3.0.12)
            one.close()
        if isinstance(error, kafka.KafkaTimeoutError):  # "Unable to bootstrap" tells no cause
            has_login = settings.security.startswith("SASL")
            refusal = networks[-1].connections.refusal if has_login and networks else None
            raise diagnosis(settings, refusal) from error
        if isinstance(error, kafka.KafkaError):
            raise store_error(error, settings.bootstrap, "connecting") from error
        raise StoreError(  # what kafka-python says where a codec is missing
            str(error),
            sentence="What Kafka's compression needs is not installed.",
            hint="Install what is missing: pip install 'wirewatch[distributed]'",
        ) from error


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that every client of kafka-python gets.

    Raises:
        FileError: a file that the settings name cannot be used.
    """
    return {
        "bootstrap_servers": settings.servers(),
        "bootstrap_timeout_ms": round(settings.connect_seconds * 1000),
        "reconnect_backoff_ms": _FIRST_RECONNECT_MS,
        "reconnect_backoff_max_ms": _LAST_RECONNECT_MS,
        **security_options(settings),
    }

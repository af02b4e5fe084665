"""Making clients of kafka-python that leave nothing behind where they cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from ingest.errors import StoreError
from ingest.kafka_errors import store_error
from ingest.kafka_settings import KafkaSettings, client_options

ClientT = TypeVar("ClientT")


def opened(make: Callable[..., ClientT], settings: KafkaSettings, **options: Any) -> ClientT:
    """A client of kafka-python, connected.

    Raises:
        UnavailableError: no broker answers within ``connect_seconds``.
        StoreError: Kafka refuses the login or a setting, or a codec is missing.
    """
    networks: list[KafkaNetClient] = []

    def network(**given: Any) -> KafkaNetClient:
        networks.append(KafkaNetClient(**given))
        return networks[-1]

    try:
        return make(kafka_client=network, **client_options(settings), **options)
    except (KafkaError, RuntimeError) as error:
        for one in networks:  # its thread would go on connecting for ever (kafka-python 3.0.12)
            one.close()
        if isinstance(error, KafkaError):
            raise store_error(error, settings.bootstrap, "connecting") from error
        raise StoreError(  # what kafka-python says where a codec is missing
            str(error),
            sentence="What Kafka's compression needs is not installed.",
            hint="Install what is missing: pip install 'wirewatch[distributed]'",
        ) from error

"""Faust as we use it: at least once, nothing of its own in Kafka, nothing on the terminal.

Faust gives us membership in a consumer group, records and commits. It decodes nothing and sends
nothing: a stage writes through the Log, whose producer checks every record and every future.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import faust
import faust.streams
from aiokafka.codec import has_zstd
from faust.app.base import BootStrategy

from ingest.errors import FileError, StoreError
from ingest.kafka_clients import client_options
from ingest.kafka_names import Names
from ingest.kafka_settings import KafkaSettings

_COMMIT_SECONDS = 0.5
"""Faust's 2.8 s replayed 18,800 records in five kills, 0.3 s replayed 200."""

_BUFFERED = 400
"""Records fetched ahead: more than a second's work, since Faust sleeps a second where they are
enough; no more, since each may have 900 kB."""

_FETCH_BYTES = 4 << 20
_REBALANCE_SECONDS = 60.0
_REQUEST_SECONDS = 40.0


class _Consuming(BootStrategy):
    enable_kafka_producer = False


class _App(faust.App):
    BootStrategy = _Consuming


def faust_app(settings: KafkaSettings, group: str) -> faust.App:
    """An app that is a member of ``group``, as ``settings`` say.

    Raises:
        FileError: a certificate or the password file cannot be read.
        StoreError: a part of Faust is missing without which it loses records or reads none.
    """
    _check_parts()
    names = Names(settings.prefix)
    session = settings.session_seconds
    return _App(
        names.topic(group),
        broker=[f"kafka://{server}" for server in settings.servers()],
        env={},  # else any BROKER_URL or WEB_PORT of the environment would win over us
        **_login(settings),
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{settings.member}-0" if settings.member else None,
        consumer_max_fetch_size=_FETCH_BYTES,
        broker_commit_interval=_COMMIT_SECONDS,
        broker_session_timeout=session,
        broker_heartbeat_interval=session / 3,
        broker_request_timeout=max(_REQUEST_SECONDS, session),  # Faust wants no less than this
        broker_rebalance_timeout=_REBALANCE_SECONDS,
        broker_max_poll_interval=settings.poll_seconds,
        stream_buffer_maxsize=_BUFFERED,
        stream_wait_empty=False,  # else a batch that is not acknowledged stops SIGTERM for ever
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        value_serializer="raw",
        key_serializer="raw",
    )


def _check_parts() -> None:
    missing = ""
    if not has_zstd():
        missing = "cramjam"  # Faust would read nothing and say nothing
    elif getattr(faust.streams, "_CStreamIterator", None) is None:
        # Its twin in Python acknowledges what was fetched before a rebalance without giving it.
        missing = "the compiled part of faust-streaming"
    if missing:
        raise StoreError(
            f"missing: {missing}",
            sentence=f"What Faust needs is not installed: {missing}.",
            hint="Install it: pip install 'wirewatch[distributed]', and unset NO_CYTHON.",
        )


def _login(settings: KafkaSettings) -> dict[str, Any]:
    context = _tls(settings) if settings.security.endswith("SSL") else None
    if not settings.security.startswith("SASL"):
        return {"ssl_context": context}
    login = client_options(settings)
    return {
        "broker_credentials": faust.SASLCredentials(
            username=login["sasl_plain_username"],
            password=login["sasl_plain_password"],
            mechanism=login["sasl_mechanism"],
            ssl_context=context,
        )
    }


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        if settings.certificate_file:
            context.load_cert_chain(settings.certificate_file, settings.key_file or None)
    except (OSError, ssl.SSLError) as error:
        files = [settings.ca_file, settings.certificate_file, settings.key_file]
        place = next((name for name in files if name and not Path(name).is_file()), "")
        raise FileError(
            f"{files}: {error}",
            sentence=f"Kafka's certificates cannot be used: {error}.",
            hint="Check [log] ca_file, certificate_file and key_file.",
            place=place,
        ) from error
    return context

"""Why Kafka cannot be reached: asked of the first broker, once the client has given up.

kafka-python says "Unable to bootstrap" whatever the cause. So we connect once more by ourselves,
as far as TLS and a first question, and say what went wrong there.
"""

from __future__ import annotations

import socket
import ssl
import struct

from kafka import errors as kafka

from ingest.errors import StoreError, WirewatchError
from ingest.kafka_errors import unreachable
from ingest.kafka_security import tls_context
from ingest.kafka_settings import KafkaSettings

_LOOK_SECONDS = 0.8
"""With the client's four seconds an answer within five."""

_LISTEN_SECONDS = 2.0
"""For all brokers together: a lost first packet is sent again after one second."""

_NAME = b"wirewatch"
_METADATA = struct.pack(">hhih", 3, 5, 1, len(_NAME)) + _NAME + b"\0" * 5
"""Metadata, version 5 (kafka.apache.org/protocol): header, no topic, none to make."""

_OTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH (openssl/x509_vfy.h)."""

_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED."""

_REMEDY = "Correct the port in [log] bootstrap, or set [log] security to {}."


_ALERT = b"\x15\x03"
"""What a TLS server answers to plain text: an alert record (RFC 8446, section 5.1)."""

_Cause = tuple[str, str]
"""What is wrong with Kafka or the settings, as half a sentence, and the remedy."""

_NO_LOGIN: _Cause = "it takes no login on that port", _REMEDY.format("SSL or PLAINTEXT")


def need_listener(settings: KafkaSettings) -> None:
    """Nothing, where a broker takes connections: kafka-python tries for four seconds if none does.

    Raises:
        UnavailableError: none does, within two seconds.
    """
    why, servers = "", settings.servers()
    for server in servers:
        host, port = _place(server)
        if not port.isdecimal():
            return  # the client knows what a name without a port means
        try:
            socket.create_connection((host, int(port)), _LISTEN_SECONDS / len(servers)).close()
        except OSError as error:
            why = f"connecting to {server}: {error}"
        else:
            return
    raise unreachable(settings.bootstrap, why)


def diagnosis(settings: KafkaSettings, refusal: Exception | None = None) -> WirewatchError:
    """The error to raise after no broker answered in time. Takes a second at most.

    A cause that waiting cannot mend (TLS, login) is a StoreError, else it is an UnavailableError.
    ``refusal`` is what Kafka said to our login, if it came so far.
    """
    server = settings.servers()[0]
    try:
        found = _login(settings, refusal) if refusal else _looked(settings, server)
    except (OSError, ValueError) as error:
        return unreachable(settings.bootstrap, f"connecting to {server}: {error}")
    if found is None:
        return unreachable(settings.bootstrap, f"connecting to {server}: no answer in time")
    why, hint = found
    return StoreError(why, sentence=f"Kafka at {server} cannot be used: {why}.", hint=hint)


def _login(settings: KafkaSettings, refusal: Exception) -> _Cause:
    if isinstance(refusal, kafka.UnsupportedSaslMechanismError):
        return (
            f"it knows no login by {settings.sasl_mechanism}",
            "Set [log] sasl_mechanism to one that is enabled there.",
        )
    if isinstance(refusal, kafka.IllegalSaslStateError):
        return _NO_LOGIN
    return (
        f"it refuses the login of {settings.sasl_user!r} by {settings.sasl_mechanism}",
        "Check [log] sasl_user, sasl_password_file and sasl_mechanism.",
    )


def _looked(settings: KafkaSettings, server: str) -> _Cause | None:
    host, port = _place(server)
    with socket.create_connection((host, int(port)), _LOOK_SECONDS / 2) as plain:
        plain.settimeout(_LOOK_SECONDS / 2)
        if settings.security.endswith("SSL"):
            return _over_tls(settings, plain, host)
        return _heard(settings, _answer(plain))


def _place(server: str) -> tuple[str, str]:
    host, _, port = server.rpartition(":")
    return host.strip("[]"), port


def _over_tls(settings: KafkaSettings, plain: socket.socket, host: str) -> _Cause | None:
    try:
        with tls_context(settings).wrap_socket(plain, server_hostname=host) as tls:
            # With TLS 1.3 a refusal of our own certificate comes only after the handshake.
            return _heard(settings, _answer(tls))
    except ssl.SSLCertVerificationError as error:
        return _untrusted(settings, host, error)
    except (ssl.SSLError, ConnectionError) as error:
        reason = str(getattr(error, "reason", "") or type(error).__name__)
        if "CERTIFICATE" in reason:
            return (
                "it asks for a certificate of ours that it trusts",
                "Name one in [log] certificate_file, and its key in key_file.",
            )
        return (
            f"it speaks no TLS on that port ({reason})",
            _REMEDY.format("PLAINTEXT or SASL_PLAINTEXT"),
        )


def _untrusted(settings: KafkaSettings, host: str, error: ssl.SSLCertVerificationError) -> _Cause:
    if error.verify_code in _OTHER_NAME:
        return (
            f"its certificate is for another name than {host}",
            "Name the broker in [log] bootstrap as its certificate does.",
        )
    if error.verify_code == _EXPIRED:
        return "its certificate has expired", "Renew the broker's certificate."
    trusted = settings.ca_file or "those of the system"
    return (
        f"its certificate is signed by none that we trust ({trusted})",
        "Name the certificate of Kafka's own authority in [log] ca_file.",
    )


def _heard(settings: KafkaSettings, answer: bytes) -> _Cause | None:
    """What the answer to a question without a login tells."""
    if answer.startswith(_ALERT):
        return "it wants TLS on that port", _REMEDY.format("SSL or SASL_SSL, and ca_file")
    has_login = settings.security.startswith("SASL")
    if not answer and not has_login:
        return "it wants a login on that port", _REMEDY.format("SASL_SSL, and sasl_user")
    if answer and has_login:
        return _NO_LOGIN
    return None


def _answer(connection: socket.socket) -> bytes:
    """The first bytes of the answer; none where it hangs up."""
    connection.sendall(struct.pack(">i", len(_METADATA)) + _METADATA)
    try:
        return connection.recv(len(_ALERT))
    except ConnectionError:
        return b""

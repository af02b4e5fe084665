"""TLS and the login of our connections to Kafka, made from the settings and their files."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from ingest.errors import FileError
from ingest.kafka_settings import KafkaSettings
from ingest.secret_file import read_secret


def security_options(settings: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments for every client of kafka-python: protocol, TLS, login.

    Raises:
        FileError: a file cannot be used; names the setting.
    """
    options: dict[str, Any] = {"security_protocol": settings.security}
    if settings.security.endswith("SSL"):
        options["ssl_context"] = tls_context(settings)
    if settings.security.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_user,
            "sasl_plain_password": read_secret(
                settings.sasl_password_file, setting="[log] sasl_password_file"
            ),
        }
    return options


def tls_context(settings: KafkaSettings) -> ssl.SSLContext:
    """What connections are encrypted and brokers are checked with: certificate and name.

    Raises:
        FileError: a file of certificates or the key cannot be used; names the setting.
    """
    names = _certificates(settings)
    try:
        context = ssl.create_default_context(cafile=names["ca_file"])
    except ssl.SSLError as error:
        raise _unusable(settings.ca_file, "ca_file", error) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if names["certificate_file"]:
        try:
            # OpenSSL would ask the terminal for a passphrase.
            context.load_cert_chain(names["certificate_file"], names["key_file"], lambda: "")
        except (ssl.SSLError, ValueError) as error:
            both = "certificate_file and key_file"
            raise _unusable(settings.certificate_file, both, error) from error
    return context


def _certificates(settings: KafkaSettings) -> dict[str, str | None]:
    """The files that are set, each readable: OpenSSL's own errors name none of them."""
    names = {
        "ca_file": settings.ca_file,
        "certificate_file": settings.certificate_file,
        "key_file": settings.key_file,
    }
    for setting, name in names.items():
        try:
            if name:
                Path(name).read_bytes()
        except OSError as error:
            raise _unusable(name, setting, error) from error
    return {setting: name or None for setting, name in names.items()}


def _unusable(name: str, setting: str, error: Exception) -> FileError:
    return FileError(
        f"{name}: {error}",
        sentence=f"A certificate or key for Kafka cannot be used: {name}.",
        hint=f"Name readable files in PEM, without a passphrase, in [log] {setting}.",
        place=name,
    )

"""A client of Elasticsearch that knows who it speaks to and never tries again by itself."""

from __future__ import annotations

from typing import Any

from elasticsearch import Elasticsearch

from ingest.errors import StoreError
from ingest.secret_file import read_secret
from search.elastic_errors import translated
from search.elastic_settings import ElasticSettings

_LEAST_MAJOR = 8


def connect(settings: ElasticSettings) -> Elasticsearch:
    """A client of the Elasticsearch at ``settings.url``, which answered just now.

    Raises:
        UnavailableError: nobody answers there, within ``answer_seconds``.
        StoreError: it is no Elasticsearch, too old for the client, or refuses the login.
        FileError: the file of the key or password cannot be read.
    """
    if settings.ca_file and not settings.url.startswith("https:"):
        raise StoreError(
            f"ca_file with {settings.url}",
            sentence=f"[index] ca_file is set, and {settings.url} is not encrypted.",
            hint="Write https in [index] url, or leave ca_file out.",
        )
    client = Elasticsearch(
        settings.url,
        request_timeout=settings.answer_seconds,
        max_retries=0,  # the client's own repetitions come at once: three within 0.1 s
        retry_on_timeout=False,
        **_trust(settings),
    )
    try:
        check(client, settings.url)
    except BaseException:
        client.close()
        raise
    return client


def patient(client: Elasticsearch, settings: ElasticSettings) -> Elasticsearch:
    """``client`` for what takes a server long: writes, and changes of indices."""
    return client.options(request_timeout=settings.write_seconds)


def check(client: Elasticsearch, url: str) -> str:
    """The version of the server, which we can work with.

    Raises:
        UnavailableError, StoreError: as ``connect``.
    """
    with translated(url, "asking for its version"):
        found = client.info()
    version = str(found["version"]["number"])
    if int(version.partition(".")[0]) < _LEAST_MAJOR:
        raise StoreError(
            f"server {version}",
            sentence=f"Elasticsearch at {url} is of version {version}; Wirewatch needs 8.19 on.",
            hint="Upgrade Elasticsearch.",
        )
    return version


def _trust(settings: ElasticSettings) -> dict[str, Any]:
    """Who we are, and whose certificates we believe."""
    options: dict[str, Any] = {}
    if settings.ca_file:
        options["ca_certs"] = settings.ca_file
    if settings.api_key_file:
        options["api_key"] = read_secret(settings.api_key_file, setting="[index] api_key_file")
    elif settings.user:
        password = read_secret(settings.password_file, setting="[index] password_file")
        options["basic_auth"] = (settings.user, password)
    return options

"""Kibana over HTTP: wait until it is ready, import saved objects."""

from __future__ import annotations

import base64
import json
import re
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from deploy.kibana.settings import KibanaSettings
from ingest.errors import FileError, StoreError, UnavailableError, UsageError
from ingest.secret_file import read_secret

OLDEST = (8, 9)
"""The first Kibana that ranks words by significance and reads objects of our versions."""

ANSWER_SECONDS = 60.0
"""An import writes a dozen objects; a Kibana that has just started takes its time."""

LOOK_SECONDS = 1.0
DETAIL_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Kibana said; ``body`` is empty where it was no JSON object."""

    status: int
    body: Mapping[str, Any]


class Kibana:
    """A Kibana server. Raises UsageError or FileError for settings that cannot be used."""

    def __init__(self, settings: KibanaSettings) -> None:
        self._settings = settings
        self.url = settings.url.rstrip("/")
        self._parts = _checked(self.url)
        self._headers = {"kbn-xsrf": "wirewatch", **_authorisation(settings)}

    def wait(self, *, tell: Callable[[str], None] = lambda _: None) -> str:
        """Its version once it is ready; empty where it keeps that to itself.

        ``tell`` hears, in a sentence, what is waited for.

        Raises:
            UnavailableError: it did not answer, or was not ready, in ``wait_seconds``.
            StoreError: it refuses the login, is older than 8.9, or is no Kibana.
        """
        until = time.monotonic() + self._settings.wait_seconds
        told = ""
        while True:
            try:
                return self._ready()
            except UnavailableError as error:
                if time.monotonic() >= until:
                    raise
                if error.sentence != told:
                    tell(error.sentence)
                told = error.sentence
            time.sleep(min(LOOK_SECONDS, max(0.0, until - time.monotonic())))

    def install(self, ndjson: str) -> int:
        """Import saved objects, replacing those of the same ids; how many.

        Raises:
            UnavailableError: it does not answer.
            StoreError: it refuses the login, the file or some of its objects.
        """
        boundary = secrets.token_hex(16)
        answer = self._asked(
            "POST",
            "/api/saved_objects/_import?overwrite=true",
            body=_form(ndjson, boundary),
            kind=f"multipart/form-data; boundary={boundary}",
        )
        self._refuse(answer)
        wanted = len(ndjson.splitlines())
        taken = answer.body.get("successCount")
        if answer.body.get("success") is not True or taken != wanted:
            raise self._error(f"took {taken or 0} of {wanted} objects. {_faults(answer.body)}")
        return wanted

    def _ready(self) -> str:
        answer = self._asked("GET", "/api/status")
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
            self._refuse(answer)
        level = _within(answer.body, "status", "overall", "level")
        if not level and answer.status == HTTPStatus.OK:
            raise self._error("does not answer as a Kibana does.")
        if level != "available":
            raise UnavailableError(
                f"{self.url}: {level}",
                sentence=f"Kibana at {self.url} is not ready yet ({level or 'starting'}).",
                hint="Its log says what it waits for; most often it is Elasticsearch.",
            )
        version = _within(answer.body, "version", "number")
        number = re.match(r"(\d+)\.(\d+)", version)
        if number and tuple(map(int, number.groups())) < OLDEST:
            raise self._error(
                f"is {version}; the dashboards need 8.9 or later.", hint="Upgrade Kibana."
            )
        return version

    def _refuse(self, answer: Answer) -> None:
        """Nothing, where the answer is 200. Raises what any other one means."""
        message = str(answer.body.get("message", ""))[:DETAIL_CHARS]
        match answer.status:
            case HTTPStatus.OK:
                return
            case HTTPStatus.UNAUTHORIZED:
                raise self._error(
                    "refuses the login (401).",
                    hint="Give --api-key-file, or --user and --password-file.",
                )
            case HTTPStatus.FORBIDDEN:
                raise self._error(
                    "refuses (403): this login may not change saved objects.",
                    hint="It needs the privilege “Saved Objects Management: All” in that space.",
                )
            case HTTPStatus.NOT_FOUND:
                raise self._error(
                    "has no such page (404).", hint="Give Kibana's base address, not a page of it."
                )
            case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise UnavailableError(
                    f"{self.url}: {status} {message}",
                    sentence=f"Kibana at {self.url} cannot serve now ({status}). {message}".strip(),
                )
            case status:
                raise self._error(f"answered {status}. {message}".strip())

    def _asked(self, method: str, path: str, *, body: bytes = b"", kind: str = "") -> Answer:
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        connection = self._connection()
        try:
            connection.request(method, self._parts.path + path, body=body or None, headers=headers)
            found = connection.getresponse()
            return Answer(status=found.status, body=_object(found.read()))
        except ssl.SSLCertVerificationError as error:
            raise self._error(
                f"has a certificate that is not trusted: {error.verify_message}.",
                hint="Name its authority's certificates in [kibana] ca_file.",
            ) from error
        except (OSError, HTTPException) as error:
            raise UnavailableError(
                f"{self.url}: {error!r}",
                sentence=f"Kibana does not answer at {self.url} ({_reason(error)}).",
                hint="Start it, or give its address with --kibana or [kibana] url.",
            ) from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        context = _context(self._settings.ca_file)
        return HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)

    def _error(self, what: str, *, hint: str = "") -> StoreError:
        sentence = f"Kibana at {self.url} {what}"
        return StoreError(sentence, hint=hint, code="kibana")


def _within(body: Mapping[str, Any], *names: str) -> str:
    """The text at this path of objects; empty where there is none."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or "no answer"


def _checked(url: str) -> SplitResult:
    wrong = UsageError(
        "this cannot be Kibana's address",  # not shown: it may hold a password
        hint="Write https://host:5601, or with a space https://host:5601/s/news; "
        "logins are given with --user or --api-key-file.",
    )
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise wrong from None
    if not is_usable or parts.username or parts.query or parts.fragment:
        raise wrong
    return parts


def _authorisation(settings: KibanaSettings) -> dict[str, str]:
    if settings.api_key_file:
        key = read_secret(settings.api_key_file, setting="[kibana] api_key_file")
        return {"Authorization": f"ApiKey {key}"}
    if not settings.user:
        return {}
    if not settings.password_file:
        raise UsageError("a user without a password", hint="Give --password-file.")
    password = read_secret(settings.password_file, setting="[kibana] password_file")
    pair = f"{settings.user}:{password}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise FileError(
            f"{ca_file}: {error}",
            sentence=f"The certificates of {ca_file} cannot be used.",
            hint="Name a readable file in PEM in [kibana] ca_file.",
            place=ca_file,
        ) from error


def _form(ndjson: str, boundary: str) -> bytes:
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="wirewatch.ndjson"\r\n'
        "Content-Type: application/x-ndjson\r\n\r\n"
    )
    return f"{head}{ndjson}\r\n--{boundary}--\r\n".encode()


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _faults(body: Mapping[str, Any]) -> str:
    """The first objects that were refused, and why."""
    told = []
    for one in body.get("errors", [])[:3]:
        error = one.get("error", {})
        why = error.get("message") or error.get("type", "unknown")
        told.append(f"{one.get('type')} {one.get('id')}: {why}")
    return "; ".join(told)[:DETAIL_CHARS]

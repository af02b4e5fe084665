"""The section ``[api]`` of the settings: where the API and the pages answer, and whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ingest.loopback import is_loopback

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  recognised, not listened on


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """The API and the pages on a port; the CLI uses a socket of its own."""

    host: Annotated[
        str,
        Field(description="Address to listen on; beyond this machine only with an account."),
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port; 0 takes a free one.")] = 8720
    hosts: Annotated[
        tuple[str, ...],
        Field(
            description="Names by which others reach it, without port; other names are refused. "
            "With one beyond this machine everybody logs in."
        ),
    ] = ()
    require_login: Annotated[bool, Field(description="Ask for a login on this machine too.")] = (
        False
    )
    behind_proxy: Annotated[
        bool,
        Field(description="Browsers come through a proxy of yours that speaks https with them."),
    ] = False
    tls_certificate: Annotated[
        str, Field(description="A file with the certificate (PEM, with its chain) for https.")
    ] = ""
    tls_key: Annotated[
        str, Field(description="The file with the key of tls_certificate (PEM).")
    ] = ""
    token_file: Annotated[
        str,
        Field(description="A file with the token of an admin account, for this user's eyes only."),
    ] = ""
    requests_per_minute: Annotated[
        int, Field(ge=1, description="Requests an account may make in a minute.")
    ] = 600
    body_bytes: Annotated[
        int, Field(ge=100_000, description="Bytes that a request may bring along at most.")
    ] = 4_000_000

    @property
    def needs_login(self) -> bool:
        """Whether others may reach it, or the settings ask for a login."""
        names = (self.host, *self.hosts)
        return (
            self.require_login or self.behind_proxy or not all(is_loopback(name) for name in names)
        )

    @property
    def is_https(self) -> bool:
        """Whether browsers come over https."""
        return bool(self.tls_certificate) or self.behind_proxy

    @property
    def names(self) -> frozenset[str]:
        """What may stand in Host."""
        return LOOPBACK_NAMES | {*self.hosts, self.host} - ANY_ADDRESS

    def url(self, port: int) -> str:
        """The address under which people find it."""
        scheme = "https" if self.is_https else "http"
        if self.hosts and self.behind_proxy:
            return f"{scheme}://{self.hosts[0]}"
        host = self.hosts[0] if self.hosts else self.host
        host = "127.0.0.1" if host in ANY_ADDRESS else host
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


HTTPS_REMEDY = "Name [api] tls_certificate and tls_key, or set behind_proxy where a proxy has them."


def plain_http_warning(settings: ApiSettings) -> str:
    """A sentence where others on the way can read what is asked; empty where none can."""
    if settings.is_https or is_loopback(settings.host):
        return ""
    return (
        f"The pages and the API answer on {settings.host} without TLS: whoever is on the way can "
        "read what is shown, and the tokens."
    )

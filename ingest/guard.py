"""Which addresses and URLs Wirewatch may connect to (promise P5).

Feeds, redirects, article pages and webhooks are named by strangers, so a URL may point into the
network of the person who runs Wirewatch. Only public addresses are contacted, unless the URL's own
host and port are allowed by name. `ingest.connections` asks these questions at connect time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote

from yarl import URL

from ingest.errors import BlockedAddressError, UsageError
from ingest.loopback import is_loopback_name
from ingest.settings import NetSettings

MAX_URL_CHARS = 2_000
"""The URL limit of articles and feeds; longer ones are not carried through the log."""

_PRIVATE_V4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 1122)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata service of clouds
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_V6 = ip_network("2000::/3")
"""The only IPv6 block that IANA hands out; everything outside is refused without a list."""
_PRIVATE_V6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, Teredo and ORCHID among them (RFC 2928)
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address (RFC 7526 retires it)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_NAT64 = ip_network("64:ff9b::/96")
"""The well-known prefix of RFC 6052: a translator sends on to the IPv4 address in its last bits."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NUMERIC_LABEL = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_LEGAL_URL = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy")


def is_public(address: str) -> bool:
    """Whether ``address`` (an IP address in digits) belongs to the public internet.

    Decided by own tables: ``ipaddress.is_global`` says True for multicast, 6to4, IPv4-compatible
    and NAT64 spellings of loopback, differently in each Python version. Never raises.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped
        if inner is None and ip in _NAT64:
            inner = IPv4Address(ip.packed[-4:])
        if inner is None:
            return ip in _GLOBAL_V6 and not any(ip in network for network in _PRIVATE_V6)
        ip = inner
    return not any(ip in network for network in _PRIVATE_V4)


def is_disguised(host: str) -> bool:
    """Whether ``host`` is an IPv4 address in a spelling other than four plain decimals.

    ``127.1``, ``0x7f.1``, ``2130706433`` and ``017700000001`` mean loopback to the C library; no
    honest feed is named so.
    """
    if not _is_numeric(host):
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def parse_url(text: str) -> URL:
    """``text`` as the URL that is sent, in ASCII.

    Legal URLs are kept byte for byte (signed ones break when ``%2F`` becomes ``/``); others are
    quoted, and names in other scripts encoded (IDNA).

    Raises:
        ValueError: ``text`` is no absolute http or https URL.
    """
    if _CONTROL.search(text):
        raise ValueError(f"control characters in {text[:200]!r}")
    url = URL(text, encoded=_LEGAL_URL.fullmatch(text) is not None)
    if url.scheme not in {"http", "https"} or not url.port:
        raise ValueError(f"not an http or https URL: {text[:200]!r}")
    if not _is_host(url.raw_host or ""):
        raise ValueError(f"no host name that can be looked up in {text[:200]!r}")
    return url


def check_url(text: str) -> str:
    """``text`` as a feed or webhook address that may be kept: ASCII, credentials included.

    Raises:
        UsageError: not http or https, longer than 2,000 characters, or with spaces, line breaks
            or invisible characters, which could forge a header or hide the real host.
    """
    if len(text) > MAX_URL_CHARS:
        raise _refusal(text, f"The address is longer than {MAX_URL_CHARS} characters.")
    if any(unicodedata.category(char)[0] in "CZ" for char in text):
        sentence = "The address has a space, a line break or an invisible character in it."
        raise _refusal(text, sentence, hint="Copy it again; a space inside is written %20.")
    scheme, colon, _ = text.partition("://")
    if not colon:
        hint = f"Did you mean https://{text[:200]} ?"
        raise _refusal(text, "Only http and https addresses are fetched.", hint=hint)
    if scheme.lower() not in {"http", "https"}:
        raise _refusal(text, f"Only http and https addresses are fetched, not {scheme[:20]}.")
    try:
        return str(parse_url(text))
    except ValueError as error:
        raise _refusal(text, "The address has no host name that can be looked up.") from error


def split_credentials(url: str) -> tuple[str, str, str]:
    """``url`` without its user name and password, then these two, decoded; empty where absent."""
    parsed = parse_url(url)
    if parsed.raw_user is None and parsed.raw_password is None:
        return url, "", ""
    bare = str(parsed.with_user(None))
    return bare, unquote(parsed.raw_user or ""), unquote(parsed.raw_password or "")


class Guard:
    """The rule of one installation: public addresses, plus what is allowed by name."""

    def __init__(self, settings: NetSettings | None = None) -> None:
        self.entries = (settings or NetSettings()).allow
        self._allowed = frozenset(_allowed_entry(entry) for entry in self.entries)

    def allows(self, url: URL | str) -> bool:
        """Whether the host and port of ``url`` are allowed by name, whatever they resolve to."""
        parsed = parse_url(url) if isinstance(url, str) else url
        host = (parsed.raw_host or "").lower()
        return (host, parsed.port) in self._allowed or (host, None) in self._allowed

    def check(self, url: URL) -> None:
        """Refuse what can be refused before a name is looked up.

        Raises:
            BlockedAddressError: the host is an address in digits that is not public, one in
                disguise, or localhost. Other names are judged by `ingest.connections` when they
                are looked up.
        """
        host = url.raw_host or ""
        if self.allows(url):
            return
        if _HOST_NAME.fullmatch(host) and not _is_numeric(host):
            private = is_loopback_name(host)
        else:
            private = is_disguised(host) or not is_public(host)
        if private:
            raise blocked(host, host)


def blocked(host: str, address: str) -> BlockedAddressError:
    """The error for ``host``, which means the address ``address``."""
    where = host if host == address else f"{host} is {address}"
    name = f"[{host}]" if ":" in host else host
    return BlockedAddressError(
        f"{where}: not a public address",
        sentence=f"Blocked: private address ({where}).",
        hint=f'If this is your own server, allow it by name, below [net]: allow = ["{name}:PORT"]',
    )


def proxy_warning(environ: Mapping[str, str]) -> str:
    """What the doctor says about proxy variables in ``environ``; empty where none is set.

    They are never followed: behind a proxy the guard would check the proxy's address only
    (FreshRSS, GHSA-8p8w). Values are not shown, since they may hold a password.
    """
    found = sorted(name for name in environ if name.lower() in _PROXY_NAMES and environ[name])
    if not found:
        return ""
    return (
        f"A proxy is set ({', '.join(found)}); the guard then checks nothing but the proxy's own "
        "address, so Wirewatch ignores it and connects directly."
    )


def _is_numeric(host: str) -> bool:
    return all(_NUMERIC_LABEL.fullmatch(label) for label in host.rstrip(".").split("."))


def _is_host(host: str) -> bool:
    if _HOST_NAME.fullmatch(host):
        return True
    try:
        ip_address(host.replace("%25", "%", 1))
    except ValueError:
        return False
    return True


def _allowed_entry(entry: str) -> tuple[str, int | None]:
    host, _, port = entry.strip().rpartition(":")
    try:
        url = parse_url(f"http://{host}:{1 if port == '*' else int(port)}/")
    except ValueError as error:
        raise UsageError(
            f"not host:port: {entry!r}",
            code="net-allow",
            sentence=f"[net] allow has {entry!r}, which is not host:port or host:*.",
            hint='Write for example "localhost:8080" or "[::1]:*".',
        ) from error
    return (url.raw_host or "").lower(), None if port == "*" else url.port


def _refusal(text: str, sentence: str, *, hint: str = "") -> UsageError:
    return UsageError(f"refused URL {text[:200]!r}", code="url", sentence=sentence, hint=hint)

"""URLs: the canonical form that names an article, the link to show, the source host.

Never raises on hostile input: what is no http(s) URL gives an empty string.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import idna

from ingest.clean import clean

# Parameters that say how a reader came, never what is read. Compared in lower case.
TRACKING_PREFIXES = (
    "utm_", "at_", "ns_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "fb_action_", "guce_referrer",
    "wt.mc", "wt_mc", "wt.tsrc", "wt.nav", "__hs", "_hs", "oly_",
)  # fmt: skip
"""A parameter whose name starts so is left out: campaign tools with families of names."""

TRACKING_NAMES = frozenset({
    # click ids of advertisers and networks
    "fbclid", "gclid", "gclsrc", "gbraid", "wbraid", "dclid", "gad_source", "gad_campaignid",
    "msclkid", "yclid", "ysclid", "_openstat", "twclid", "ttclid", "li_fat_id", "igshid", "igsh",
    "epik", "srsltid", "s_kwcid", "rb_clickid", "wickedid", "irclickid", "_branch_match_id",
    # analytics and mail campaigns
    "_ga", "_gl", "ga_source", "ga_medium", "ga_campaign", "ga_content", "ga_term", "mc_cid",
    "mc_eid", "mkt_tok", "vero_id", "vero_conv", "hsctatracking", "elqtrack", "elqtrackid",
    "cmpid", "cmp", "s_cid", "icid", "ncid", "intcid", "intcmp", "ftcamp", "dlvrit",
    # publishers: BBC, New York Times, Guardian, Le Monde, Daily Mail, Microsoft, Yahoo, ...
    "ocid", "xtor", "sref", "ref_src", "ref_url", "smid", "smtyp", "emc", "ito", "wprss", "eref",
    "fsrc", "taid", "tpcc", "feedtype", "feedname", "guccounter", "soc_src", "soc_trk", ".tsrc",
    "fb_source", "fb_ref", "share_source", "spref", "phpsessid",
})  # fmt: skip
"""A parameter of this name is left out."""

_RSS_SAYERS = frozenset(
    {"cid", "from", "mbid", "mod", "partner", "ref", "source", "src", "track", "via"}
)
_SAYS_RSS = re.compile(r"rss(?![a-z0-9])", re.IGNORECASE)
# Left out only where the value says so: ``?ref=rss`` and ``?mod=rss_news``, but not ``?mod=5``.

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
_PATH_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+")
_QUERY_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+")
_LINK_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%#\[\]]+")
_BAD_HOST = re.compile(r"[^a-z0-9\-._~!$'*+]")
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_SLASHES = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
_PATH = re.compile(r"[^?#]*")
_WHITE = re.compile(r"[\t\n\r]")
_AMPERSAND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_FAULTY = re.compile(rf"\s|{_AMPERSAND.pattern}|^www\.|^https?:(?!//[^/])", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_HOST = 253  # RFC 1035: a longer name cannot be looked up


class _Parts(NamedTuple):
    scheme: str
    host: str
    port: int | None
    path: str
    query: str


def canonical_url(url: str) -> str:
    """The form of ``url`` that all its spellings share; empty where it is no http(s) URL.

    https, host in lower case without ``www.``, no default port, user, fragment or trailing slash,
    tracking parameters left out, percent-encoding and dot segments normalised (RFC 3986
    section 6.2.2), other parameters and the case of the path kept. Idempotent.
    """
    parts = _split(url)
    if parts is None:
        return ""
    path = _normal_path(parts.path)
    query = "&".join(
        piece
        for piece in _normal_percent(parts.query, _QUERY_UNSAFE).split("&")
        if piece and not _is_tracking(piece)
    )
    default = parts.port in (None, _DEFAULT_PORTS[parts.scheme], _DEFAULT_PORTS["https"])
    authority = _without_www(parts.host) + ("" if default else f":{parts.port}")
    return f"https://{authority}{path}" + (f"?{query}" if query else "")


def source_of(url: str) -> str:
    """The host of ``url`` in lower case, without ``www.``; empty where it is no http(s) URL."""
    parts = _split(url)
    return _without_www(parts.host) if parts else ""


def resolve_link(link: str, base: str = "") -> str:
    """The absolute http(s) URL that ``link`` of a feed means, ready to be clicked; or empty.

    Repairs what feeds do: ``&amp;`` escaped once too often, white space inside, ``//host``,
    ``www.host`` without scheme, ``http:/host``. Everything that is not http(s), as
    ``javascript:``, gives an empty string. Credentials are left out.
    """
    wanted = _WHITE.sub("", clean(link)).strip()
    for _ in range(2):
        wanted = _AMPERSAND.sub("&", wanted)
    if not wanted:
        return ""
    if wanted.lower().startswith("www."):
        wanted = f"https://{wanted}"
    if not _SCHEME.match(wanted):
        wanted = _join(base, wanted)
    parts = _split(wanted)
    return _show(wanted, parts) if parts else ""


def is_repaired(link: str) -> bool:
    """Whether ``resolve_link`` mends more about ``link`` than that it is relative."""
    return _FAULTY.search(link.strip()) is not None


def _join(base: str, link: str) -> str:
    if link.startswith("//"):
        return f"{urlsplit(base).scheme or 'https'}:{link}"
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def _show(url: str, parts: _Parts) -> str:
    """``url`` as an RFC 3986 URI without credentials, otherwise as written."""
    found = _SLASHES.match(url)
    rest = _cut_authority(url[found.end() :])[1] if found else ""
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{parts.host}{port}" + _encode(rest, _LINK_UNSAFE)


def _split(url: str) -> _Parts | None:
    """The parts of an http(s) URL as a browser reads them, or None."""
    found = _SLASHES.match(url := _WHITE.sub("", clean(url)).strip())
    if not found:
        return None
    rest = url[found.end() :]
    authority, path = _cut_authority(rest)
    try:
        pieces = urlsplit(f"{found[1].lower()}://{authority}")
        host, port = _normal_host(pieces.hostname or ""), pieces.port
    except ValueError:
        return None
    if not host:
        return None
    folder, _, query = path.partition("#")[0].partition("?")
    return _Parts(pieces.scheme, host, port, folder, query)


def _cut_authority(rest: str) -> tuple[str, str]:
    r"""The authority at the start of ``rest``, and the path, query and fragment behind it.

    Browsers read "\" as "/"; reading it otherwise would show one host and open another.
    """
    end = min((at for at in map(rest.find, "/\\?#") if at >= 0), default=len(rest))
    folder = _PATH.match(rest, end)
    path = folder[0] if folder else ""
    return rest[:end], path.replace("\\", "/") + rest[end + len(path) :]


def _normal_host(host: str) -> str:
    if ":" in host:
        try:
            return f"[{IPv6Address(host)}]"
        except AddressValueError:
            return ""
    host = unquote(host).rstrip(".")
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return ""
    host = host.lower().rstrip(".")
    return "" if _BAD_HOST.search(host) or len(host) > _MAX_HOST else host


def _without_www(host: str) -> str:
    while host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    return host


def _normal_path(path: str) -> str:
    normal = _SESSION.sub("", _normal_percent(path, _PATH_UNSAFE))
    return "/" + _without_dots(normal).strip("/") if normal.strip("/") else "/"


def _without_dots(path: str) -> str:
    """RFC 3986 section 5.2.4."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept[1:] = kept[1:-1]
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept)


def _normal_percent(text: str, unsafe: re.Pattern[str]) -> str:
    return _encode(_PERCENT.sub(_normal_triplet, text), unsafe)


def _normal_triplet(found: re.Match[str]) -> str:
    if not found[1]:
        return "%25"
    char = chr(int(found[1], 16))
    return char if char in _UNRESERVED else f"%{found[1].upper()}"


def _encode(text: str, unsafe: re.Pattern[str]) -> str:
    return unsafe.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _is_tracking(piece: str) -> bool:
    name, _, value = piece.partition("=")
    name = name.lower()
    if name in TRACKING_NAMES or name.startswith(TRACKING_PREFIXES):
        return True
    return name in _RSS_SAYERS and _SAYS_RSS.match(value) is not None

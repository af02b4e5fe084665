"""What stands around and between the elements of a feed document: prolog, entities, root.

Works on text alone, in linear time, before any XML parser sees it. No declaration of an entity
passes: an XML parser that never sees one can expand none.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from html.entities import name2codepoint
from typing import Final

_SPACE: Final = " \t\r\n\ufeff\x00"
_ROOT: Final = re.compile(r"<(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)")
_START: Final = re.compile(
    r"<\?xml\b|<!doctype\b|<(?:[\w.-]+:)?(?:rss|feed|rdf|html)\b", re.IGNORECASE
)
_DECLARES: Final = re.compile(r"<!\s*(ENTITY|ATTLIST)\b", re.IGNORECASE)
# XML 1.0 section 2.2: what no XML document may hold, and lone surrogates, which no UTF-8 can.
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ILLEGAL_REFERENCE: Final = re.compile(r"&#(?:(\d{1,8})|[xX]([0-9a-fA-F]{1,7}));")
_REFERENCE: Final = re.compile(
    r"(?P<kept><!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|&(?!#\d{1,7};|#[xX][0-9a-fA-F]{1,6};)(?:(?P<name>[A-Za-z][A-Za-z0-9]{1,31});)?",
    re.DOTALL,
)
_XML_NAMES: Final = frozenset(("amp", "lt", "gt", "quot", "apos"))
_PREFIX: Final = re.compile(r"</?([A-Za-z_][\w.-]*):[A-Za-z_]", re.ASCII)
_BOUND: Final = re.compile(r"\sxmlns:([A-Za-z_][\w.-]*)\s*=", re.ASCII)
_MAX_PREFIXES: Final = 30
"""Real feeds use up to 12; a document with more is no feed that lost its declarations."""
_NAMESPACES: Final = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rss": "http://purl.org/rss/1.0/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}
_JUNK_LIMIT: Final = 4096
"""A PHP warning or a blank line may stand before a feed; more than this is another document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prolog:
    """What stands before the root element.

    Attributes:
        root: Local name of the root element in lower case; empty where there is none.
        start: Where the root element begins.
        doctype: The document type declaration as written.
        declares: Whether that declaration holds entities or attribute lists.
        junk: Whether something that is no XML stands first.
    """

    root: str
    start: int
    doctype: str = ""
    declares: bool = False
    junk: bool = False


def read_prolog(text: str) -> Prolog:
    """The prolog of ``text``: declaration, comments, instructions, document type."""
    at, junk = _beginning(text)
    doctype = ""
    while at < len(text):
        if text[at] in _SPACE:
            at += 1
        elif text.startswith("<!--", at):
            at = _after(text, "-->", at + 4)
        elif text.startswith("<?", at):
            at = _after(text, "?>", at + 2)
        elif text.startswith("<!", at):
            end = _end_of_declaration(text, at)
            doctype += text[at:end]
            at = end
        else:
            break
    match = _ROOT.match(text, at)
    return Prolog(
        root=match[2].lower() if match else "",
        start=at,
        doctype=doctype,
        declares=_DECLARES.search(doctype) is not None,
        junk=junk,
    )


def _beginning(text: str) -> tuple[int, bool]:
    at = 0
    while at < len(text) and text[at] in _SPACE:
        at += 1
    if text.startswith("<", at) and not text.startswith("<br", at):
        return at, False
    match = _START.search(text, at, at + _JUNK_LIMIT)
    return (match.start(), True) if match else (at, False)


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _end_of_declaration(text: str, at: int) -> int:
    """Behind the ``>`` that ends the declaration at ``at``, its internal subset included."""
    subset = False
    quote = ""
    while at < len(text):
        letter = text[at]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif subset and text.startswith("<!--", at):
            at = _after(text, "-->", at + 4) - 1
        elif letter in "[]":
            subset = letter == "["
        elif letter == ">" and not subset:
            return at + 1
        at += 1
    return at


def mend(text: str) -> str:
    """``text`` with what XML forbids taken out or written as XML allows it.

    Control characters go; HTML's named references become characters; lone ampersands are escaped.
    CDATA sections and comments stay as they are.
    """
    text = _ILLEGAL.sub("", text)
    text = _ILLEGAL_REFERENCE.sub(_legal_reference, text)
    return _REFERENCE.sub(_legal_name, text)


def _legal_reference(match: re.Match[str]) -> str:
    code = int(match[1]) if match[1] else int(match[2], 16)
    if code > sys.maxunicode or _ILLEGAL.match(chr(code)):
        return ""
    return match[0]


def _legal_name(match: re.Match[str]) -> str:
    if match["kept"]:
        return match[0]
    name = match["name"]
    if name in _XML_NAMES:
        return match[0]
    code = name2codepoint.get(name or "")
    return f"&#{code};" if code else f"&amp;{match[0][1:]}"


def is_finished(text: str, root: str) -> bool:
    """Whether the last tag of ``text`` closes ``root``: a body cut on its way does not."""
    tail = text[-2000:].lower()
    return bool(re.search(rf"</(?:[\w.-]+:)?{re.escape(root)}\s*>", tail))


def bind_prefixes(document: str) -> str:
    """``document`` with a namespace for every prefix that its root leaves without one."""
    used = {match[1] for match in _PREFIX.finditer(document)}
    bound = {match[1] for match in _BOUND.finditer(document)}
    missing = sorted(used - bound - {"xml", "xmlns"})[:_MAX_PREFIXES]
    root = _ROOT.match(document)
    if not missing or root is None:
        return document
    declared = "".join(
        f' xmlns:{name}="{_NAMESPACES.get(name, "urn:" + name)}"' for name in missing
    )
    return f"{document[: root.end()]}{declared}{document[root.end() :]}"

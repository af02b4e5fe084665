"""OPML, the interchange format of feed lists: in (safely, all or nothing) and out.

Follows OPML 2.0 (opml.org/spec2.opml): feeds are ``outline`` elements with ``xmlUrl``, any other
``outline`` that has children is a folder.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.entities import html5
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from ingest.errors import FileError
from ingest.feeds import Feed

MAX_FOLDERS = 8
"""Folders of one path; deeper ones are left out, else a nested file grows quadratically."""

MAX_FOLDER = 100
"""Characters of a folder's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A feed as a list names it, unchecked."""

    url: str
    title: str = ""
    groups: tuple[str, ...] = ()
    line: int = 0


def read_opml(data: bytes, *, place: str) -> list[Outline]:
    """Every feed of the OPML document ``data``, in order; O(n), at any depth of nesting.

    An ``&`` that begins no reference is taken as written, for 40 of 69 real files hold one, and so
    are quotes and ``<`` within an attribute, as 11 of them do in descriptions.

    Raises:
        FileError: not well-formed, not OPML, or declares entities; with line and remedy.
    """
    try:
        return _parse(data, place)
    except expat.ExpatError:
        mended = _REFERENCE.sub(_mended, data)
    try:
        return _parse(mended, place)
    except expat.ExpatError as error:
        with contextlib.suppress(expat.ExpatError):
            return _parse(_quoted(mended), place)
        reason = expat.errors.messages[error.code]
        raise FileError(
            f"{place}: {reason}",
            sentence=f"{place} is damaged at line {error.lineno}: {reason}. Nothing was imported.",
            hint="Export the list again, or mend that line.",
            place=f"{place}:{error.lineno}",
        ) from error


def _parse(data: bytes, place: str) -> list[Outline]:
    reader = _Reader(place)
    reader.parser.Parse(data, True)  # noqa: FBT003 - expat takes no keywords
    return reader.outlines


_REFERENCE = re.compile(rb"&(#[0-9]+;|#x[0-9A-Fa-f]+;|[A-Za-z][A-Za-z0-9]*;)?")
_KNOWN = frozenset({b"amp;", b"lt;", b"gt;", b"quot;", b"apos;"})


def _mended(found: re.Match[bytes]) -> bytes:
    name = found[1] or b""
    if name.startswith(b"#") or name in _KNOWN:
        return found[0]
    text = html5.get(name.decode())
    # HTML's own names, such as &nbsp;, mean nothing in XML.
    return text.encode("ascii", "xmlcharrefreplace") if text else b"&amp;" + name


_TAG = re.compile(rb"(?=<outline\s|</(?:outline|body|opml)>)")
_NAMED = re.compile(
    rb"\s(?:text|title|description|type|xmlUrl|htmlUrl|category|language|version|created)"
    rb'\s*=\s*"',
    re.IGNORECASE,
)
_SOUND = re.compile(rb"""<outline(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/?>\s*""")


def _quoted(data: bytes) -> bytes:
    """``data`` with the quotes and ``<`` escaped that stand within attributes of outlines. O(n)."""
    return b"".join(
        part if _SOUND.fullmatch(part) else _quoted_outline(part) for part in _TAG.split(data)
    )


def _quoted_outline(part: bytes) -> bytes:
    """A value reaches to the last quote before the next attribute that outlines have."""
    tag = part.rstrip()
    marks = list(_NAMED.finditer(tag))
    if not marks or not tag.startswith(b"<outline") or not tag.endswith(b">"):
        return part
    end = len(tag) - (2 if tag.endswith(b"/>") else 1)
    pieces = [tag[: marks[0].start()]]
    stops = [*(mark.start() for mark in marks[1:]), end]
    for mark, stop in zip(marks, stops, strict=True):
        value, quote, rest = tag[mark.end() : stop].rpartition(b'"')
        value = value.replace(b'"', b"&quot;").replace(b"<", b"&lt;")
        pieces += (mark[0], value, quote, rest)
    return b"".join([*pieces, part[end:]])


class _Reader:
    """Expat's callbacks: keeps its own stack, so depth costs no recursion."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.outlines: list[Outline] = []
        self._folders: list[str] = []
        self._root = True
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.EntityDeclHandler = self._refuse_entity
        self.parser.ExternalEntityRefHandler = self._refuse_entity

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._root:
            self._check_root(tag)
        if tag != "outline":
            return
        named = {name.lower(): value for name, value in attributes.items()}
        title = " ".join((named.get("title") or named.get("text") or "").split())
        url = named.get("xmlurl", "").strip()
        if url:
            line = self.parser.CurrentLineNumber
            groups = self._groups(named.get("category", ""))
            self.outlines.append(Outline(url=url, title=title, groups=groups, line=line))
        self._folders.append("" if url else title[:MAX_FOLDER].replace("/", "-"))

    def _end(self, tag: str) -> None:
        if tag == "outline":
            self._folders.pop()

    def _groups(self, category: str) -> tuple[str, ...]:
        named = [folder for folder in self._folders[: 4 * MAX_FOLDERS] if folder][:MAX_FOLDERS]
        if named:
            return ("/".join(named),)
        # The specification's own way to group without folders: comma separated, "/" for levels.
        given = (part.strip().strip("/")[:MAX_FOLDER] for part in category.split(",")[:MAX_FOLDERS])
        return tuple(dict.fromkeys(part for part in given if part))

    def _check_root(self, tag: str) -> None:
        self._root = False
        if tag.lower() != "opml":
            kind = {"html": "a web page", "rss": "a feed", "feed": "a feed"}.get(tag.lower())
            raise self._error(
                f"is {kind or f'an XML document <{tag}>'}, not a list of feeds",
                hint="Give an OPML file or a text file with one address a line; "
                "a single feed is added by its address.",
            )

    def _refuse_entity(self, *_: object) -> int:
        raise self._error(
            "declares entities, which lists of feeds never need and attacks use",
            hint="Remove the DOCTYPE from the file.",
        )

    def _error(self, why: str, *, hint: str) -> FileError:
        line = self.parser.CurrentLineNumber
        return FileError(
            f"{self.place}: {why}",
            sentence=f"{self.place}, line {line}: {why}. Nothing was imported.",
            hint=hint,
            place=f"{self.place}:{line}",
        )


def write_opml(feeds: Iterable[Feed], *, title: str = "Wirewatch feeds") -> str:
    """``feeds`` as OPML 2.0; folders as nested outlines, a feed of two folders in both."""
    tree = _Folder()
    for feed in feeds:
        for group in feed.groups or ("",):
            tree.folder([part for part in group.split("/") if part]).feeds.append(feed)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        f"  <head><title>{escape(title)}</title></head>",
        "  <body>",
        *tree.lines(depth=2),
        "  </body>",
        "</opml>",
    ]
    return "\n".join(lines) + "\n"


class _Folder:
    """A folder of the written document; at most ``MAX_FOLDERS`` deep when it came from a list."""

    def __init__(self) -> None:
        self.feeds: list[Feed] = []
        self.folders: dict[str, _Folder] = {}

    def folder(self, path: Sequence[str]) -> _Folder:
        found = self
        for name in path[:MAX_FOLDERS]:
            found = found.folders.setdefault(name, _Folder())
        return found

    def lines(self, *, depth: int) -> list[str]:
        indent = "  " * depth
        lines = [indent + _outline(feed) for feed in self.feeds]
        for name, folder in self.folders.items():
            label = _attribute(name)
            lines.append(f"{indent}<outline text={label} title={label}>")
            lines += folder.lines(depth=depth + 1)
            lines.append(f"{indent}</outline>")
        return lines


def _outline(feed: Feed) -> str:
    label = _attribute(feed.title or feed.url)
    return f'<outline type="rss" text={label} title={label} xmlUrl={_attribute(feed.url)}/>'


def _attribute(text: str) -> str:
    # XML 1.0 has no way to write a control character, not even as a reference.
    return quoteattr("".join(character for character in text if character.isprintable()))

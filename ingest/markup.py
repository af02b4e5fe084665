"""HTML as feeds carry it, read as plain text; titles, which are text or HTML without saying so.

No tree is built: one pass over the tokens of the WHATWG tokeniser, linear in the input whatever it
holds (html5ever, lexbor and the standard library's parser are quadratic on some inputs). What is
nested deeper than a limit, or holds too many tags for one article, is read by a coarser pass.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from ingest.clean import clean, one_line

MAX_DEPTH = 256
"""Open elements; real articles stay below 40."""

MAX_TAGS = 20_000
"""Tags of one article; above it the coarse pass, which is some ten times faster, reads on."""

# Possessive quantifiers: each token is scanned once, there is nothing to go back to.
_TOKEN = re.compile(
    r"<!\[CDATA\[|\]\]>"
    r"|<!--(?:-?>|(?s:.*?)(?:--!?>|\Z))"
    r"|<[!?][^>]*+(?:>|\Z)|</(?![a-zA-Z])[^>]*+(?:>|\Z)"
    r"|<(/?)([a-zA-Z][^\s/>]*+)((?:=\s*+(?>\"[^\"]*+\"|'[^']*+')|[^>])*+)(>|\Z)"
)
_COARSE = re.compile(
    r"<(?:script|style)\b.*?(?:</(?:script|style)\b[^>]*+(?:>|\Z)|\Z)|</?[a-zA-Z!?][^>]*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_BLANK_LINE = re.compile(r"\n[ \t\r]*+\n")
# int() refuses more than 4,300 digits and U+10FFFF has seven.
_LONG_REFERENCE = re.compile(r"&#0*\d{8,};?")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")

_BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt"
    " fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main"
    " menu nav ol p pre section summary table tbody tfoot thead tr ul".split()
)
_CELLS = frozenset(["td", "th", "option"])
# Not prose: code, fallbacks of embedded things, forms.
_DROPPED = frozenset(
    "applet audio button canvas datalist embed head iframe math noembed noframes noscript object"
    " script select style svg template textarea title video xmp".split()
)
# Content of these is code to its end, even where no end tag follows.
_CODE = frozenset(["script", "style"])
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()
)
# Their end tags may be left out, so that their number says nothing about nesting.
_IMPLIED_END = frozenset("p li dt dd tr td th option thead tbody tfoot colgroup rp rt".split())
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark nobr q rp"
    " rt ruby s samp small span strike strong sub sup time tt u var wbr".split()
)
_KNOWN = _BLOCKS | _CELLS | _DROPPED | _VOID | _INLINE
_BREAK = "\0"  # cannot stand in cleaned text
_CLOSING = re.compile(r"</([a-zA-Z][a-zA-Z0-9]*)\s*>|<(?:br|p|img|hr)\b[^<>]*>|<a\s[^<>]*>", re.I)
_ATTRIBUTES = re.compile(r"(?:\s+[a-zA-Z][\w:.\-]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'>]++))?+)*+\s*+/?")


class PlainText(NamedTuple):
    """What a reader sees, paragraphs separated by a newline.

    ``simplified`` says that the markup was beyond the limits: nothing of the text is missing, but
    paragraphs are not kept apart.
    """

    text: str
    simplified: bool = False


def plain_text(source: str, *, max_depth: int = MAX_DEPTH) -> PlainText:
    """The text of the HTML ``source``; never raises, O(n).

    Scripts, styles, frames, drawings, formulas and forms are left out. What was escaped once too
    often (``&amp;nbsp;``, a whole body as ``&lt;p&gt;``) is read once more, never twice more.
    """
    found = _read(clean(source), max_depth)
    if "<" in found.text and _has_markup(found.text) and not _TOKEN.search(source):
        found = _read(found.text, max_depth)
    if _REFERENCE.search(found.text):
        return found._replace(text=_lines(unescape(found.text), "\n"))
    return found


def plain_lines(source: str) -> str:
    """Text that is no HTML: cleaned, each line a paragraph."""
    return _lines(clean(source), "\n")


def plain_title(source: str, *, is_html: bool = False) -> str:
    """A title as one line of text.

    Feeds put HTML into titles without saying so, and escape it once too often; but a title may
    also speak of ``<b>``, 3 < 4 or ``Vec<u8>``. So, unless ``is_html``, only well-formed tags of
    HTML go, and what unescaping brings to light goes only where it is clearly markup.
    """
    text = clean(source)
    if "<" in text:
        text = _read(text, MAX_DEPTH).text if is_html else _strip_known(text)
    text = unescape(text)
    if _REFERENCE.search(text):
        text = unescape(text)
    if "<" in text and _has_markup(text):
        text = _strip_known(text)
    return one_line(text)


def unescape(text: str) -> str:
    """``text`` with HTML character references resolved, and cleaned of what they brought."""
    if "&" not in text:
        return text
    return clean(html.unescape(_LONG_REFERENCE.sub("\ufffd", text)))


def _has_markup(text: str) -> bool:
    """Whether ``text`` holds tags that only markup holds: a closing tag, a break, a link."""
    return any(not found[1] or found[1].lower() in _KNOWN for found in _CLOSING.finditer(text))


def _strip_known(text: str) -> str:
    """``text`` without well-formed tags of HTML; unknown ones, as ``<u8>``, stay."""
    return _Reader(text, strict=True).read(MAX_DEPTH).text


def _read(source: str, max_depth: int) -> PlainText:
    return _Reader(source, strict=False).read(max_depth)


def _lines(text: str, separator: str) -> str:
    lines = (" ".join(line.split()) for line in text.split(separator))
    return "\n".join(line for line in lines if line)


class _Reader:
    """One pass over the tokens of one source.

    ``strict``: what is not a well-formed tag of HTML is text.
    """

    def __init__(self, source: str, *, strict: bool) -> None:
        self._source = source
        self._strict = strict
        self._pieces: list[str] = []
        self._unclosed: set[str] = set()  # dropped elements whose end tag was sought in vain

    def read(self, max_depth: int) -> PlainText:
        source, at, depth, tags, broken = self._source, 0, 0, 0, False
        while found := _TOKEN.search(source, at):
            closing, name = found[1], (found[2] or "").lower()
            if name and self._is_text(found, name):
                self._text(source[at : found.start() + 1])
                at = found.start() + 1
                continue
            self._text(source[at : found.start()])
            at = found.end()
            if not name:
                continue
            tags += 1
            if name in _BLOCKS:
                self._pieces.append(_BREAK)
                broken = True
            elif name in _CELLS:
                self._pieces.append(" ")
            elif name in _DROPPED and not closing:
                at = self._end_of(name, found)
                continue
            if name not in _VOID and name not in _IMPLIED_END and not found[3].endswith("/"):
                depth += -1 if closing else 1
            if depth > max_depth or tags > MAX_TAGS:
                return self._coarse(at)
        self._text(source[at:])
        ...

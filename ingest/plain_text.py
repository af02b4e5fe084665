"""HTML as feeds carry it, read as plain text; titles, which are text or HTML without saying so.

No tree is built: one pass over the tokens of the WHATWG tokeniser, linear in the input whatever it
holds (html5ever, lexbor and the standard library's parser are quadratic on some inputs). What is
nested deeper than a limit, or holds too many tags for one article, is read by a coarser pass.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import NamedTuple

from ingest.clean import clean, one_line

MAX_DEPTH = 256
"""Open elements; real articles stay below 40."""

MAX_TAGS = 20_000
"""Tags of one article: some 20 ms. Above it the coarse pass, ten times as fast, reads it."""

MAX_TITLE_MARKUP = 8_000
"""Characters of a title that are read at all, markup included; eight times what is kept."""

# Possessive quantifiers: each token is scanned once, there is nothing to go back to.
_TOKEN = re.compile(
    r"<!\[CDATA\[|\]\]>"
    r"|<!--(?:-?>|(?s:.*?)(?:--!?>|\Z))"
    r"|<[!?][^>]*+(?:>|\Z)|</(?![a-zA-Z])[^>]*+(?:>|\Z)"
    r"|<(/?)([a-zA-Z][^\s/>]*+)((?:=\s*+(?>\"[^\"]*+\"|'[^']*+')|[^>])*+)(>|\Z)"
)
_COARSE = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</(?:script|style)\b[^>]*+(?:>|\Z)|\Z)"
    r"|</?[a-zA-Z!?][^>]*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_BLANK_LINE = re.compile(r"\n[ \t\r]*+\n")
# int() refuses more than 4,300 digits, and no character needs more than seven.
_LONG_REFERENCE = re.compile(r"&#0*+\d{8,}+;?")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BREAK = "\0"  # cannot stand in cleaned text
_BLOCKS = _names(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt"
    " fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li"
    " main menu nav ol p pre section summary table tbody tfoot thead tr ul"
)
# Not prose: code, fallbacks of embedded things, forms, what belongs into the head of a page.
_DROPPED = _names(
    "applet audio button canvas datalist head iframe math noembed noframes noscript object"
    " script select style svg template textarea title video xmp"
)
# Code to its end, even where no end tag follows.
_CODE = frozenset(["script", "style"])
# Without end tag, or with one that may be left out: their number says nothing about nesting.
_FLAT = _names(
    "area base br col embed hr img input link meta param source track wbr p li dt dd tr td th"
    " option thead tbody tfoot colgroup rp rt"
)
_INLINE = _names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q ruby"
    " s samp small span strike strong sub sup time tt u var"
)
_KNOWN = _BLOCKS | _DROPPED | _FLAT | _INLINE
_SEPARATORS = dict.fromkeys(_BLOCKS, _BREAK) | dict.fromkeys(["td", "th", "option"], " ")

_NAMES = "|".join(sorted(_KNOWN, key=len, reverse=True))
# Bounded, so that a title of nothing but "<!--" or "<style>" costs milliseconds.
_TITLE_CODE = re.compile(
    r"<(script|style|iframe|svg|math|noscript|object)\b[^<>]*+>.{0,1000}?</\1\s*+>",
    re.DOTALL | re.IGNORECASE,
)
_TITLE_TAG = re.compile(
    rf"<!--[^>]{{0,500}}+>|<!\[CDATA\[|\]\]>|</?({_NAMES})"
    r"(?:\s++[a-z][\w:.\-]*+\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'<>]++))*+\s*+/?+\s*+>",
    re.IGNORECASE,
)
# Nobody writes these about HTML in passing: a closing tag, a break, an element with attributes.
_CLEARLY_MARKUP = re.compile(
    rf"</(?:{_NAMES})\s*+>|<(?:br|p)\b\s*+/?>|<(?:a|img|span|div)\s", re.IGNORECASE
)
# Where these stand, an escaped tag is an example.
_CODE_SAMPLE = re.compile(r"<(?:pre|code|tt|samp|kbd|xmp|textarea|listing)\b", re.IGNORECASE)


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
    whole = clean(source)
    found = _read(whole, max_depth)
    if "<" in found.text and _CLEARLY_MARKUP.search(found.text):
        if not _TOKEN.search(whole):
            found = _read(found.text, max_depth)
        elif not _CODE_SAMPLE.search(whole):
            found = found._replace(text=_strip_tags(found.text))
    return found._replace(text=_paragraphs(_unescape_again(found.text).split("\n")))


def plain_lines(source: str) -> str:
    """Text that is said to be no HTML: cleaned, each line a paragraph.

    Where it is clearly HTML after all, it is read as such: readers would see the tags.
    """
    whole = clean(source)
    if "<" in whole and _CLEARLY_MARKUP.search(whole):
        return plain_text(whole).text
    return _paragraphs(_unescape_again(whole).split("\n"))


def plain_title(source: str, *, is_html: bool = False) -> str:
    """A title as one line of text.

    Feeds put HTML into titles without saying so, and escape it once too often; but a title may
    also speak of ``<b>``, 3 < 4 or ``Vec<u8>``. So, unless ``is_html``, only well-formed tags of
    HTML go, and what unescaping brings to light goes only where it is clearly markup.
    """
    text = clean(source[:MAX_TITLE_MARKUP])
    text = _read(text, MAX_DEPTH).text if is_html else _unescape(_strip_tags(text))
    text = _unescape_again(text)
    if "<" in text and _CLEARLY_MARKUP.search(text):
        text = _strip_tags(text)
    return one_line(text)


def _strip_tags(text: str) -> str:
    """``text`` without well-formed tags of HTML; unknown ones, as ``<u8>``, stay."""
    if "<" not in text:
        return text
    return _TITLE_TAG.sub(_title_separator, _TITLE_CODE.sub("", text))


def _title_separator(found: re.Match[str]) -> str:
    return " " if (found[1] or "").lower() in _SEPARATORS else ""


def _unescape(text: str) -> str:
    """``text`` with HTML character references resolved, and cleaned of what they brought."""
    if "&" not in text:
        return text
    return clean(html.unescape(_LONG_REFERENCE.sub("\ufffd", text)))


def _unescape_again(text: str) -> str:
    """As ``_unescape``, but only what ends in ";": "AT&T" and "?a=1&copy=2" are meant so."""
    if "&" not in text:
        return text
    return clean(_REFERENCE.sub(lambda found: html.unescape(found[0]), text))


def _paragraphs(lines: Iterable[str]) -> str:
    tidy = (" ".join(line.split()) for line in lines)
    return "\n".join(line for line in tidy if line)


def _read(source: str, max_depth: int) -> PlainText:
    pieces: list[str] = []
    unclosed: set[str] = set()
    at = depth = tags = 0
    while found := _TOKEN.search(source, at):
        pieces.append(source[at : found.start()])
        at = found.end()
        if found[2] is None:
            continue
        name, closing = found[2].lower(), bool(found[1])
        if not found[4]:
            pieces.append(_unfinished(found))
            break
        tags += 1
        pieces.append(_SEPARATORS.get(name, ""))
        if name in _DROPPED and not closing:
            at = _end_of_dropped(source, found, unclosed=unclosed)
        elif name not in _FLAT and not found[3].endswith("/"):
            depth = max(0, depth - 1) if closing else depth + 1
        if depth > max_depth or tags > MAX_TAGS:
            return PlainText(one_line(_unescape(_COARSE.sub(" ", source))), simplified=True)
    pieces.append(source[at:])
    text = "".join(pieces)
    if _BREAK not in text:
        text = _BLANK_LINE.sub(_BREAK, text)
    return PlainText(_paragraphs(map(_unescape, text.split(_BREAK))))


def _unfinished(found: re.Match[str]) -> str:
    """What a tag without ">" shows: nothing if a text was cut in it, itself if it is a "<"."""
    name, rest = found[2].lower(), found[3]
    return "" if found[1] or (rest and name in _KNOWN) else found[0]


def _end_of_dropped(source: str, start: re.Match[str], *, unclosed: set[str]) -> int:
    """Where to read on after an element that is dropped with its content."""
    name = start[2].lower()
    if start[3].endswith("/") or name in unclosed:
        return start.end()
    end = re.compile(rf"</{name}(?=[\s/>])[^>]*+(?:>|\Z)", re.IGNORECASE).search(
        source, start.end()
    )
    if end:
        return end.end()
    if name in _CODE:
        return len(source)
    unclosed.add(name)  # sought once only: a thousand unclosed frames stay linear
    return start.end()

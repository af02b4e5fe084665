"""Bytes to text: which charset a feed is really written in.

The order is: byte order mark, XML declaration, valid UTF-8, the charset of the HTTP header,
statistics. A claim counts only where the bytes bear it out; where they do not, the text is still
read and a note says what was guessed. UTF-7 and Python's own codecs are never used: they can turn
plain bytes into markup.
"""

from __future__ import annotations

import codecs
import re
import zlib
from dataclasses import dataclass
from typing import Final, Literal

import chardet

from ingest.errors import UnreadableError

EncodingSource = Literal["bom", "declaration", "content", "header", "guess"]
"""What decided the charset."""

_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# XML 1.0 appendix F: how "<" or "<?" looks in wide charsets; \x4c\x6f\xa7\x94 is "<?xm" in EBCDIC.
_OPENINGS: Final = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARATION: Final = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([\w.:-]{1,40})")
_HEADER: Final = re.compile(r";\s*charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
# What publishers call by the narrower name is the wider charset (WHATWG Encoding, section 4.2).
_WIDER: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_NAMES: Final = {
    "cp1252": "windows-1252",
    "cp932": "shift_jis",
    "cp949": "euc-kr",
    "cp874": "tis-620",
    "big5hkscs": "big5",
    **{f"cp125{digit}": f"windows-125{digit}" for digit in "013456789"},
}
_MULTIBYTE: Final = frozenset(
    (
        "gb18030",
        "cp932",
        "cp949",
        "big5hkscs",
        "euc_jp",
        "iso2022_jp",
        "hz",
        "johab",
        "shift_jis_2004",
    )
)
_PROBE: Final = "<a>+ADw- ~{b~} \\x3c</a>"
"""Every charset that can hold a feed reads these bytes as they stand; UTF-7 and escapes do not."""
_MARKUP: Final = re.compile(rb"<[^<>]{0,2000}>")
_LONE: Final = re.compile("[\udc80-\udcff]")
"""How ``surrogateescape`` carries a byte that is no UTF-8."""
_WIDE: Final = re.compile("[^\x00-\x7f]")
_ENOUGH: Final = 6
_SAMPLE_BYTES: Final = 100_000
"""Enough text for statistics; chardet takes 10 ms for it."""
_SURE: Final = 0.2
"""Below it chardet is right about as often as the plain guess windows-1252."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A body as text, and how that was found.

    Attributes:
        encoding: The charset by its WHATWG name, such as ``utf-8`` or ``windows-1252``.
        source: What decided.
        notes: What was guessed or contradicted, one phrase each.
    """

    text: str
    encoding: str
    source: EncodingSource
    notes: tuple[str, ...] = ()


def unpack(body: bytes, *, max_bytes: int) -> bytes:
    """``body`` without the one layer of gzip or zlib that some servers forget to declare.

    Raises:
        UnreadableError: It unpacks to more than ``max_bytes``, or not at all.
    """
    gzipped = body.startswith(b"\x1f\x8b\x08")
    if not gzipped and not (body[:1] == b"\x78" and int.from_bytes(body[:2], "big") % 31 == 0):
        return body
    inflater = zlib.decompressobj(wbits=31 if gzipped else 15)
    try:
        unpacked = inflater.decompress(body, max_bytes)
    except zlib.error as error:
        if not gzipped:
            return body  # text that begins with "x"
        raise UnreadableError(
            f"gzip: {error}",
            sentence="The body is a damaged gzip file.",
            hint="Nothing to do here: the publisher has to repair it.",
            code="damaged-gzip",
        ) from error
    if inflater.unconsumed_tail:
        megabytes = max_bytes // 1_000_000
        raise UnreadableError(
            f"unpacks to more than {max_bytes} bytes",
            sentence=f"Refused: body larger than {megabytes} MB unpacked.",
            hint="Feeds are rarely above 1 MB; ask the publisher to send fewer entries.",
            code="body-too-large",
        )
    return unpacked


def decode(body: bytes, *, content_type: str = "") -> Decoded:
    """``body`` as text. Never raises: in the end every byte has some reading."""
    found = _by_mark(body)
    if found is not None:
        return found
    body = body.removeprefix(codecs.BOM_UTF8)
    declared = _declared(body)
    header = _HEADER.search(content_type)
    claimed = _codec(declared)
    named = _codec(header[1]) if header else ""
    utf8 = _strictly(body, "utf-8")
    if utf8 is not None and (claimed not in _MULTIBYTE or _is_no_accident(utf8)):
        return _as_utf8(utf8, body, declared=declared, claimed=claimed)
    text = _as_claimed(body, claimed)
    if text is not None:
        return Decoded(text=text, encoding=_public(claimed), source="declaration")
    text = _as_claimed(body, named)
    if text is not None:
        doubts = _doubt(declared, named) if declared else ()
        return Decoded(text=text, encoding=_public(named), source="header", notes=doubts)
    return _guess(body, declared=declared)


def _as_claimed(body: bytes, codec: str) -> str | None:
    return _strictly(body, codec) if codec and not _is_wide(codec) else None


def _is_no_accident(text: str) -> bool:
    """Whether UTF-8 gave so many wide characters that another charset is out of the question.

    A pair of bytes of Chinese, Japanese or Korean is valid UTF-8 about once in twelve times.
    """
    return len(_WIDE.findall(text, 0, 100_000)) >= _ENOUGH


def _by_mark(body: bytes) -> Decoded | None:
    """The reading that a byte order mark, or the width of the first character, asks for."""
    for marks, skip in ((_BOMS, True), (_OPENINGS, False)):
        for mark, codec in marks:
            if not body.startswith(mark):
                continue
            rest = body[len(mark) :] if skip else body
            text = _strictly(rest, codec)
            if text is None and _is_wide(codec):
                text = rest.decode(codec, "replace")
            if text is None or ("<" not in text[:2000] and not text.lstrip().startswith("{")):
                continue  # the mark lies: 8-bit text behind it
            return Decoded(text=text, encoding=_public(codec), source="bom" if skip else "content")
    return None


def _as_utf8(text: str, body: bytes, *, declared: str, claimed: str) -> Decoded:
    plain = body.isascii()
    if claimed == "utf-8":
        return Decoded(text=text, encoding="utf-8", source="declaration")
    if plain and claimed and not _is_wide(claimed):
        return Decoded(text=text, encoding=_public(claimed), source="declaration")
    notes = (f"declared {declared}, read as utf-8",) if declared else ()
    return Decoded(text=text, encoding="utf-8", source="content", notes=notes)


def _guess(body: bytes, *, declared: str) -> Decoded:
    mended = _mostly_utf8(body)
    if mended is not None:
        note = "guessed windows-1252 for bytes that are not utf-8"
        return Decoded(text=mended, encoding="utf-8", source="guess", notes=(note,))
    sample = _MARKUP.sub(b" ", body[:_SAMPLE_BYTES])
    found = chardet.detect(sample)
    codec = _codec(found["encoding"] or "")
    sure = (found["confidence"] or 0) >= _SURE or codec in _MULTIBYTE
    text = _strictly(body, codec) if codec and sure and not _is_wide(codec) else None
    if text is None:
        codec = "cp1252"
        text = _strictly(body, codec) or body.decode("latin-1")
    doubts = _doubt(declared, codec) if declared else ()
    notes = (f"guessed {_public(codec)}", *doubts)
    return Decoded(text=text, encoding=_public(codec), source="guess", notes=notes)


def _mostly_utf8(body: bytes) -> str | None:
    """UTF-8 with a few strange bytes in it (a pasted quote, a cut at the end), mended."""
    text = body.decode("utf-8", "replace")
    strange = text.count("\ufffd")
    wide = sum(1 for letter in text if letter > "\x7f") - strange
    if wide <= 2 * strange:
        return None
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    return _LONE.sub(_as_cp1252, decoder.decode(body))  # drops the tail of a cut character


def _as_cp1252(match: re.Match[str]) -> str:
    return bytes((ord(match[0]) - 0xDC00,)).decode("cp1252", "replace")


def _doubt(declared: str, codec: str) -> tuple[str, ...]:
    return (f"declared {declared}, read as {_public(codec)}",)


def _declared(body: bytes) -> str:
    match = _DECLARATION.match(body[:1024])
    return match[1].decode("ascii").lower() if match else ""


def _codec(label: str) -> str:
    """Python's name for the charset ``label``; empty where it is unknown or refused."""
    try:
        name = codecs.lookup(label.strip().lower().removeprefix("x-")).name if label else ""
        name = _WIDER.get(name, name)
        if name in ("idna", "punycode"):  # they pass the probe, but are for host names
            return ""
        if name and not _is_wide(name) and _PROBE.encode("ascii").decode(name) != _PROBE:
            return ""
    except (LookupError, ValueError, TypeError):  # unknown, or a codec that gives no text
        return ""
    return name


def _is_wide(codec: str) -> bool:
    return codec.startswith(("utf-16", "utf-32", "cp037", "cp500"))


def _public(codec: str) -> str:
    return _NAMES.get(codec) or codec.replace("iso8859-", "iso-8859-").replace("euc_", "euc-")


def _strictly(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except ValueError:
        return None

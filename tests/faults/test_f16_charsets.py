"""F16: wrong, lying and dangerous charsets give readable text and a note, never markup."""

from __future__ import annotations

import codecs

import pytest

from ingest.parse import parse_feed

TITLE = "Größe “zählt” – déjà vu"


def document(charset: str, title: str = TITLE) -> str:
    return (
        f'<?xml version="1.0" encoding="{charset}"?>'
        f"<rss><channel><item><title>{title}</title></item></channel></rss>"
    )


GOLDEN = [
    ("utf-8", "utf-8", "", ()),
    ("utf-8", "cp1252", "", ("guessed windows-1252", "declared utf-8, read as windows-1252")),
    (
        "utf-8",
        "cp1252",
        "text/xml; charset=windows-1252",
        ("declared utf-8, read as windows-1252",),
    ),
    ("iso-8859-1", "cp1252", "", ()),
    ("iso-8859-1", "utf-8", "", ("declared iso-8859-1, read as utf-8",)),
    ("us-ascii", "utf-8", "text/xml", ("declared us-ascii, read as utf-8",)),
    ("utf-16", "utf-8", "", ("declared utf-16, read as utf-8",)),
    ("utf-16", "utf-16-be", "", ()),
    ("no-such-charset", "utf-8", "", ("declared no-such-charset, read as utf-8",)),
    ("utf-8", "utf-8", "text/xml; charset=iso-8859-1", ()),
]


@pytest.mark.parametrize(("declared", "written", "content_type", "notes"), GOLDEN)
def test_f16_lying_charset_gives_readable_text_and_a_note(
    declared: str, written: str, content_type: str, notes: tuple[str, ...]
) -> None:
    feed = parse_feed(document(declared).encode(written), content_type=content_type)
    assert feed.entries[0].title == TITLE
    assert feed.notes == notes


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE])
def test_f16_a_wrong_byte_order_mark_is_seen_through(mark: bytes) -> None:
    body = mark + document("utf-8").encode()
    assert "Größe" in parse_feed(body).entries[0].title


def test_f16_utf_7_is_never_decoded_as_markup() -> None:
    hidden = "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"
    body = document("utf-7", hidden).encode()
    feed = parse_feed(body, content_type="text/xml; charset=utf-7")
    assert feed.entries[0].title == hidden
    assert feed.notes == ("declared utf-7, read as utf-8",)


def test_f16_bad_bytes_in_utf_8_cost_only_themselves() -> None:
    body = document("utf-8", "Ærø Æble Østen x§y").encode().replace("§".encode(), b"\x96")
    feed = parse_feed(body)
    assert feed.entries[0].title == "Ærø Æble Østen x–y"
    assert feed.notes == ("guessed windows-1252 for bytes that are not utf-8",)

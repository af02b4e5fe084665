from __future__ import annotations

import codecs
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.charset import decode, unpack
from ingest.errors import UnreadableError

GERMAN = "<rss><title>Über die Brücke – größer als je</title></rss>"
RUSSIAN = "<rss><title>Переговоры о прекращении огня начались утром в столице</title></rss>"


def declared(charset: str, text: str) -> str:
    return f'<?xml version="1.0" encoding="{charset}"?>{text}'


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides_against_declaration_and_header(mark: bytes, codec: str) -> None:
    body = mark + declared("iso-8859-1", GERMAN).encode(codec)
    found = decode(body, content_type="text/xml; charset=windows-1251")
    assert found.text.endswith(GERMAN)
    assert (found.encoding, found.source) == (codec, "bom")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp037"])
def test_wide_text_without_a_mark_is_known_by_its_first_character(codec: str) -> None:
    text = '<?xml version="1.0"?><rss><title>plain</title></rss>'
    assert decode(text.encode(codec)).text == text


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", GERMAN.replace("–", "-")),
        ("windows-1252", GERMAN),
        ("windows-1251", RUSSIAN),
        ("koi8-r", RUSSIAN),
        ("gb2312", "<rss><title>停火谈判今天开始</title></rss>"),
        ("shift_jis", "<rss><title>停戦の交渉が始まった</title></rss>"),
        ("euc-kr", "<rss><title>휴전 협상이 시작되었다</title></rss>"),
    ],
)
def test_a_true_declaration_decides(charset: str, text: str) -> None:
    found = decode(declared(charset, text).encode(charset), content_type="text/xml; charset=utf-8")
    assert found.text.endswith(text)
    assert found.source == "declaration"
    assert found.notes == ()


def test_valid_utf_8_beats_a_header_and_a_declaration_that_say_latin_1() -> None:
    body = declared("iso-8859-1", GERMAN).encode()
    found = decode(body, content_type="text/xml; charset=ISO-8859-1")
    assert found.text.endswith(GERMAN)
    assert found.notes == ("declared iso-8859-1, read as utf-8",)


def test_utf_8_beats_a_declaration_of_gb2312_once_there_is_enough_of_it() -> None:
    text = declared("gb2312", "<rss><title>停火谈判今天开始举行</title></rss>")
    assert decode(text.encode()).text == text
    short = declared("gb2312", "<rss><title>联通</title></rss>")  # as GBK these are valid UTF-8
    assert decode(short.encode("gbk")).text == short


def test_the_header_decides_where_the_bytes_are_silent() -> None:
    found = decode(RUSSIAN.encode("windows-1251"), content_type="text/xml; charset=windows-1251")
    assert found.text == RUSSIAN
    assert found.source == "header"


def test_latin_1_means_windows_1252_as_on_the_web() -> None:
    assert "–" in decode(declared("iso-8859-1", GERMAN).encode("cp1252")).text


def test_a_false_utf_8_declaration_is_noticed_and_the_text_read() -> None:
    found = decode(declared("utf-8", GERMAN).encode("cp1252"))
    assert found.text.endswith(GERMAN)
    assert found.notes == ("guessed windows-1252", "declared utf-8, read as windows-1252")


def test_a_utf_16_label_on_8_bit_text_is_ignored() -> None:
    found = decode(declared("utf-16", GERMAN).encode())
    assert found.text.endswith(GERMAN)
    assert found.notes == ("declared utf-16, read as utf-8",)


def test_a_utf_16_mark_before_8_bit_text_is_ignored() -> None:
    assert "Über" in decode(codecs.BOM_UTF16_LE + GERMAN.encode()).text


def test_a_few_strange_bytes_in_utf_8_are_read_as_windows_1252() -> None:
    body = GERMAN.encode() + RUSSIAN.encode() + b"<p>\x93quoted\x94</p>"
    found = decode(body)
    assert found.text.endswith("<p>“quoted”</p>")
    assert RUSSIAN in found.text
    assert found.notes == ("guessed windows-1252 for bytes that are not utf-8",)


def test_a_character_cut_at_the_end_is_dropped() -> None:
    body = RUSSIAN.encode() + "я".encode()[:1]
    assert decode(body).text == RUSSIAN


def test_undeclared_russian_is_guessed() -> None:
    found = decode((RUSSIAN * 3).encode("koi8-r"))
    assert RUSSIAN in found.text
    assert found.notes == ("guessed koi8-r",)


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "rot13", "base64", "bogus", "idna"])
def test_charsets_that_could_make_markup_of_plain_bytes_are_never_used(charset: str) -> None:
    text = declared(charset, r"<rss><title>+ADw-b+AD4- \x3c</title></rss>")
    found = decode(text.encode(), content_type=f"text/xml; charset={charset}")
    assert found.text == text
    assert found.encoding == "utf-8"


@given(st.binary(max_size=300), st.text(max_size=40))
def test_every_body_has_some_reading(body: bytes, content_type: str) -> None:
    assert isinstance(decode(body, content_type=content_type).text, str)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_an_undeclared_layer_of_compression_is_taken_off(pack: object) -> None:
    assert callable(pack)
    assert unpack(pack(GERMAN.encode()), max_bytes=1000) == GERMAN.encode()


def test_a_body_that_unpacks_beyond_the_limit_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        unpack(gzip.compress(b"0" * 2_000_001), max_bytes=2_000_000)
    assert caught.value.sentence == "Refused: body larger than 2 MB unpacked."


def test_a_damaged_gzip_body_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        unpack(b"\x1f\x8b\x08" + b"x" * 50, max_bytes=1000)
    assert caught.value.code == "damaged-gzip"


def test_plain_text_passes_unpacking_as_it_is() -> None:
    assert unpack(b"x\x9c is no zlib", max_bytes=1000) == b"x\x9c is no zlib"

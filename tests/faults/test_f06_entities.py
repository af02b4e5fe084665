"""F06: documents that declare entities are refused; nothing is expanded, nothing fetched."""

from __future__ import annotations

import resource
import socket
import sys
import time
from pathlib import Path

import pytest

from ingest.errors import UnreadableError
from ingest.parse import parse_feed

FEED = "<rss><channel><item><title>{}</title></item></channel></rss>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

BOMBS = {
    "billion laughs": f'<!DOCTYPE rss [<!ENTITY l0 "lol">{LAUGHS}]>' + FEED.format("&l9;"),
    "quadratic": f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>' + FEED.format("&a;" * 50_000),
    "flat entity": '<!DOCTYPE rss [\n<!ENTITY copy "(C)">\n]>' + FEED.format("&copy;"),
    "cyclic": '<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]>' + FEED.format("&a;"),
    "parameter entity": "<!DOCTYPE rss [<!ENTITY % x \"<!ENTITY y 'z'>\"> %x;]>"
    + FEED.format("&y;"),
    "local file": '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + FEED.format("&f;"),
    "attribute list": "<!DOCTYPE rss [<!ATTLIST rss "
    + " ".join(f'a{n} CDATA "{n}"' for n in range(20_000))
    + ">]>"
    + FEED.format("x"),
    "lower case": '<!doctype rss [<!entity a "b">]>' + FEED.format("&a;"),
    "behind a comment": '<!-- > --><!DOCTYPE rss [<!-- ]> --><!ENTITY a "b">]>'
    + FEED.format("&a;"),
    "behind a quoted bracket": '<!DOCTYPE rss SYSTEM "]>" [<!ENTITY a "b">]>' + FEED.format("&a;"),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-32"])
def test_f06_document_that_declares_entities_is_refused(name: str, charset: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    with pytest.raises(UnreadableError) as caught:
        parse_feed(BOMBS[name].encode(charset))
    assert caught.value.sentence == "Refused: document declares entities."
    assert caught.value.code == "declares-entities"
    assert time.perf_counter() - began < 2
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 50_000_000


def test_f06_no_document_type_is_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        doctype = f'<!DOCTYPE rss SYSTEM "http://127.0.0.1:{port}/rss.dtd">'
        assert len(parse_feed((doctype + FEED.format("x")).encode()).entries) == 1
        bomb = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "http://127.0.0.1:{port}/x">]>'
        with pytest.raises(UnreadableError):
            parse_feed((bomb + FEED.format("&x;")).encode())
        with pytest.raises(TimeoutError):
            server.accept()


def test_f06_a_declaration_inside_the_document_expands_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    inside = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY y "yyy">]>'
    body = f"<rss><channel><item>{inside}<title>&x;&y;</title></item></channel></rss>"
    entry = parse_feed(body.encode()).entries[0]
    assert "canary" not in entry.title
    assert "yyy" not in entry.title


def test_f06_a_declaration_in_a_comment_is_harmless() -> None:
    body = "<!-- <!DOCTYPE x [<!ENTITY a 'b'>]> -->" + FEED.format("x")
    assert parse_feed(body.encode()).entries[0].title == "x"

from __future__ import annotations

import pytest

from ingest.errors import FetchError, UsageError
from ingest.guard import check_url
from tests.evil import EvilServer, Exchange
from tests.fetching import fetcher_for, refusal

HOSTILE_URLS = [
    "http://example.org/\r\nX-Evil: 1",
    "http://example.org/\nX-Evil: 1",
    "http://exam\x00ple.org/",
    "http://example.org/a b",
    " http://example.org/",
    "http://example.org/\t",
    "http://example.org/\u202etxt",
    "http://example\u200b.org/",
    "http://example.org/\ud800",
]


@pytest.mark.parametrize("text", HOSTILE_URLS)
def test_f15_line_breaks_spaces_and_invisible_characters_are_refused_at_add(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_url(text)
    assert "a space, a line break or an invisible character" in caught.value.sentence


def test_f15_a_name_in_another_script_is_kept_in_ascii() -> None:
    assert check_url("https://例え.example/ü?q=ø") == (
        "https://xn--r8jz45g.example/%C3%BC?q=%C3%B8"
    )


@pytest.mark.parametrize("hostile", ['"a"\r\nX-Evil: 1', '"a"\nX-Evil: 1', '"\x00"', '"\x7f"',
                                     '"\ud800"', '"' + "x" * 5_000 + '"'])  # fmt: skip
async def test_f15_a_hostile_validator_is_not_sent(hostile: str) -> None:
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        result = await fetcher.fetch(server.url("/good"), etag=hostile, last_modified=hostile)
        assert result.status == 200
        (head,) = server.heads
    assert b"X-Evil" not in head
    assert b"\r\nIf-" not in head
    assert head.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("etag", ['"plain"', 'W/"weak"', "unquoted", '"with spaces, comma"', '"ü"',
                                  "'", '""'])  # fmt: skip
async def test_f15_an_odd_but_harmless_etag_goes_back_byte_for_byte(etag: str) -> None:
    async def tagged(exchange: Exchange) -> None:
        await exchange.answer(ETag=etag)

    async with EvilServer() as server, fetcher_for(server) as fetcher:
        server.handlers["/tagged"] = tagged
        first = await fetcher.fetch(server.url("/tagged"))
        assert first.etag == etag
        await fetcher.fetch(server.url("/tagged"), etag=first.etag)
        assert b"\r\nIf-None-Match: " + etag.encode() + b"\r\n" in server.heads[1]


@pytest.mark.parametrize("raw", [b'"\xff\xfe"', b'"a\x01b"'])
async def test_f15_an_etag_that_is_no_text_is_dropped_or_the_answer_refused(raw: bytes) -> None:
    async def tagged(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nETag: " + raw + b"\r\nContent-Length: 0\r\n\r\n")

    async with EvilServer() as server, fetcher_for(server) as fetcher:
        server.handlers["/tagged"] = tagged
        try:
            outcome = (await fetcher.fetch(server.url("/tagged"))).etag
        except FetchError as error:
            outcome = error.code
    assert outcome in {"", "broke"}


async def test_f15_line_breaks_in_a_location_reach_no_server() -> None:
    async def split(exchange: Exchange) -> None:
        await exchange.send(
            b"HTTP/1.1 302 Found\r\nLocation: /good\rX-Evil:1\r\nContent-Length: 0\r\n\r\n"
        )

    async with EvilServer() as server, fetcher_for(server) as fetcher:
        server.handlers["/split"] = split
        error = await refusal(fetcher, server.url("/split"))
        assert len(server.heads) == 1
    assert error.code in {"broke", "url"}


async def test_f15_a_hostile_url_is_not_fetched_either() -> None:
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        for end in ("\r\nX-Evil: 1", "\x00", "\n"):
            error = await refusal(fetcher, server.url("/good") + end)
            assert error.code == "url"
        assert server.connections == 0

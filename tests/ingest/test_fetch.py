from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from ingest.errors import FetchError
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.politeness import HostSlots
from ingest.settings import FetchSettings, NetSettings
from tests.evil import GOOD, EvilServer, Exchange
from tests.network import Names


@pytest.fixture
async def server() -> AsyncIterator[EvilServer]:
    async with EvilServer() as running:
        yield running


@pytest.fixture
async def fetcher(server: EvilServer) -> AsyncIterator[Fetcher]:
    guard = Guard(NetSettings(allow=(server.host, f"localhost:{server.port}")))
    made = Fetcher(guard=guard, settings=FetchSettings(total_seconds=1))
    yield made
    await made.close()


@pytest.mark.parametrize("path", ["/good", "/gzip", "/gzip-members", "/deflate", "/deflate-raw"])
async def test_a_body_arrives_whole_in_every_encoding_we_ask_for(
    server: EvilServer, fetcher: Fetcher, path: str
) -> None:
    result = await fetcher.fetch(server.url(path))
    assert (result.status, result.body) == (200, GOOD)
    assert result.url == server.url(path)
    assert result.content_type == "application/rss+xml"


async def test_validators_come_back_and_make_the_next_request_conditional(
    server: EvilServer, fetcher: Fetcher
) -> None:
    first = await fetcher.fetch(server.url("/good"))
    assert (first.etag, first.last_modified) == ('"one"', "Sun, 22 Nov 2026 10:00:00 GMT")
    second = await fetcher.fetch(
        server.url("/304"), etag=first.etag, last_modified=first.last_modified
    )
    assert (second.status, second.not_modified, second.body) == (304, True, b"")
    assert b'\r\nIf-None-Match: "one"\r\n' in server.heads[-1]
    assert b"\r\nIf-Modified-Since: Sun, 22 Nov 2026 10:00:00 GMT\r\n" in server.heads[-1]


async def test_not_modified_without_a_condition_is_no_answer(
    server: EvilServer, fetcher: Fetcher
) -> None:
    with pytest.raises(FetchError):
        await fetcher.fetch(server.url("/304"))


async def test_we_say_who_we_are_and_what_we_read(server: EvilServer) -> None:
    guard = Guard(NetSettings(allow=(server.host,)))
    settings = FetchSettings(contact="https://example.org/bot")
    fetcher = Fetcher(guard=guard, settings=settings)
    await fetcher.fetch(server.url("/good"))
    await fetcher.close()
    head = server.heads[-1]
    assert b"\r\nUser-Agent: Wirewatch/0.1 (+https://example.org/bot)\r\n" in head
    assert b"\r\nAccept-Encoding: gzip, deflate\r\n" in head
    assert b"cookie" not in head.lower()


async def test_a_signed_url_is_sent_byte_for_byte(server: EvilServer, fetcher: Fetcher) -> None:
    path = "/good?sign=%2Fa%2b%7e&x=a+b"
    await fetcher.fetch(server.url(path + "#part"))
    assert server.heads[-1].startswith(f"GET {path} HTTP/1.1\r\n".encode())


async def test_an_error_page_is_a_result_with_a_sample_of_its_body(
    server: EvilServer, fetcher: Fetcher
) -> None:
    result = await fetcher.fetch(server.url("/404"))
    assert (result.status, len(result.body)) == (404, 65_536)


async def test_retry_after_counts_though_the_page_cannot_be_read(
    server: EvilServer, fetcher: Fetcher
) -> None:
    result = await fetcher.fetch(server.url("/429"))
    assert (result.status, result.retry_after, result.body) == (429, "120", b"")


async def test_redirects_are_followed_and_told(server: EvilServer, fetcher: Fetcher) -> None:
    result = await fetcher.fetch(server.url("/to/../good"))
    assert (result.body, result.url) == (GOOD, server.url("/good"))
    assert [(hop.status, hop.url) for hop in result.hops] == [(302, server.url("/to/../good"))]
    assert result.permanent_url == ""


async def test_a_move_is_permanent_if_every_hop_says_so(
    server: EvilServer, fetcher: Fetcher
) -> None:
    moved = await fetcher.fetch(server.url("/moved/" + server.url("/moved//good")))
    assert moved.permanent_url == server.url("/good")
    mixed = await fetcher.fetch(server.url("/moved/" + server.url("/to//good")))
    assert mixed.permanent_url == ""
    lost = await fetcher.fetch(server.url("/moved//404"))
    assert (lost.status, lost.permanent_url) == (404, "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("public, max-age=600", 600),
        ('max-age="60"', 60),
        ("s-maxage=5", None),
        ("max-age=-1", None),
        ("max-age=" + "9" * 5000, None),
        ("", None),
    ],
)
async def test_max_age_is_read_from_cache_control(
    server: EvilServer, fetcher: Fetcher, header: str, seconds: int | None
) -> None:
    async def cached(exchange: Exchange) -> None:
        await exchange.answer(Cache_Control=header)

    server.handlers["/cached"] = cached
    assert (await fetcher.fetch(server.url("/cached"))).max_age_seconds == seconds


async def test_credentials_go_to_the_first_host_only(server: EvilServer, fetcher: Fetcher) -> None:
    target = server.url("/good", name="localhost")
    result = await fetcher.fetch(
        server.url(f"/to/{target.replace('://', '://thief:x@')}").replace("://", "://me:p%40@", 1)
    )
    assert b"\r\nAuthorization: Basic bWU6cEA=\r\n" in server.heads[0]
    assert b"authorization" not in server.heads[1].lower()
    assert result.url == target
    assert "me:" not in result.hops[0].url


async def test_credentials_follow_their_host_from_http_to_https() -> None:
    ca = trustme.CA()
    client = ssl.create_default_context()
    ca.configure_trust(client)
    async with (
        EvilServer() as plain,
        EvilServer(tls=server_tls(ca.issue_cert("feeds.example"))) as secure,
    ):
        ports = {80: plain.port, 443: secure.port}

        class Rerouted(socket.socket):
            def connect(self, address: Any) -> None:
                super().connect(("127.0.0.1", ports[address[1]]))

        fetcher = Fetcher(
            guard=Guard(NetSettings(allow=("feeds.example:*", "other.example:*"))),
            settings=FetchSettings(),
            resolver=Names(feeds_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]]),
            tls=client,
            open_socket=lambda info: Rerouted(*info[:3]),
        )
        for host in ("feeds.example", "other.example"):
            url = f"http://me:pass@{host}/to/https://feeds.example/good"
            assert (await fetcher.fetch(url)).status == 200
        await fetcher.close()
    assert b"\r\nAuthorization: Basic " in secure.heads[0]
    assert b"authorization" not in secure.heads[1].lower()


async def test_long_and_many_headers_of_honest_sites_are_taken(
    server: EvilServer, fetcher: Fetcher
) -> None:
    async def verbose(exchange: Exchange) -> None:
        steps = {f"X_Step_{number}": "hit" for number in range(300)}
        await exchange.start(
            Content_Length=len(GOOD), Content_Security_Policy="https://a.example " * 2_000, **steps
        )
        await exchange.send(GOOD)

    server.handlers["/verbose"] = verbose
    assert (await fetcher.fetch(server.url("/verbose"))).body == GOOD


async def test_a_redirect_to_a_host_that_is_held_is_not_followed(server: EvilServer) -> None:
    guard = Guard(NetSettings(allow=(server.host, f"localhost:{server.port}")))
    turns = HostSlots(guard=guard)
    fetcher = Fetcher(guard=guard, settings=FetchSettings(), slots=turns)
    url = server.url(f"/to/{server.url('/good', name='localhost')}")
    async with turns.turn(url):
        assert (await fetcher.fetch(url)).status == 200
        turns.hold(server.url("/good", name="localhost"), 60)
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(url)
    await fetcher.close()
    assert caught.value.code == "held"
    assert len(server.heads) == 3


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("http://no.example/", "no-such-host", "No such host: no.example."),
        ("ftp://example.org/", "url", "Only http and https"),
        ("http://a\r\nb.example/", "url", "Only http and https"),
        ("", "url", "Only http and https"),
    ],
)
async def test_what_went_wrong_is_said_in_a_sentence(url: str, code: str, words: str) -> None:
    fetcher = Fetcher(guard=Guard(), settings=FetchSettings(), resolver=Names())
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url)
    await fetcher.close()
    assert caught.value.code == code
    assert caught.value.sentence.startswith(words)


async def test_a_refused_connection_is_named(fetcher: Fetcher, server: EvilServer) -> None:
    url = server.url("/good")
    await server.__aexit__(None, None, None)
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url)
    assert caught.value.sentence == f"Connection refused by {server.host}."


async def test_a_name_server_in_trouble_is_not_taken_for_a_missing_host() -> None:
    trouble = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    fetcher = Fetcher(guard=Guard(), settings=FetchSettings(), resolver=Names(fails=trouble))
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch("http://example.org/")
    await fetcher.close()
    assert caught.value.code == "lookup-failed"


def server_tls(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


async def fetch_over_tls(
    cert: trustme.LeafCert, trusted: trustme.CA, *, verify: bool = True
) -> int:
    client = ssl.create_default_context()
    trusted.configure_trust(client)
    async with EvilServer(tls=server_tls(cert)) as server:
        guard = Guard(NetSettings(allow=("feeds.example:*",)))
        resolver = Names(feeds_example=[["127.0.0.1"]])
        fetcher = Fetcher(guard=guard, settings=FetchSettings(), resolver=resolver, tls=client)
        try:
            url = server.url("/good", name="feeds.example")
            return (await fetcher.fetch(url, verify_tls=verify)).status
        finally:
            await fetcher.close()


async def test_tls_with_a_trusted_certificate_works() -> None:
    ca = trustme.CA()
    assert await fetch_over_tls(ca.issue_cert("feeds.example"), ca) == 200


async def test_each_fault_of_a_certificate_has_its_own_reason() -> None:
    ca = trustme.CA()
    past = datetime(2020, 1, 1, tzinfo=UTC)
    expired = ca.issue_cert("feeds.example", not_before=past - timedelta(1), not_after=past)
    for cert, reason in [
        (expired, "its certificate has expired"),
        (ca.issue_cert("other.example"), "its certificate is for another host"),
        (trustme.CA().issue_cert("feeds.example"), "authority that this machine does not know"),
    ]:
        with pytest.raises(FetchError) as caught:
            await fetch_over_tls(cert, ca)
        assert caught.value.code == "tls"
        assert reason in caught.value.sentence


async def test_one_feed_can_be_read_without_the_check() -> None:
    cert = trustme.CA().issue_cert("feeds.example")
    assert await fetch_over_tls(cert, trustme.CA(), verify=False) == 200


async def test_a_redirect_from_https_to_http_is_refused() -> None:
    ca = trustme.CA()
    client = ssl.create_default_context()
    ca.configure_trust(client)
    async with EvilServer(tls=server_tls(ca.issue_cert("127.0.0.1"))) as secure:
        guard = Guard(NetSettings(allow=(secure.host,)))
        fetcher = Fetcher(guard=guard, settings=FetchSettings(), tls=client)
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(secure.url("/to/http://example.org/feed"))
        await fetcher.close()
    assert caught.value.code == "downgrade"

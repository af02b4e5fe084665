from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import BlockedAddressError, UsageError
from ingest.guard import (
    Guard,
    check_url,
    is_disguised,
    is_public,
    parse_url,
    proxy_warning,
    split_credentials,
)
from ingest.settings import NetSettings

PRIVATE = [
    "0.0.0.0", "0.1.2.3",  # noqa: S104 - a value, nothing is bound
    "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:0:53aa:64c::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::",
    "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1",
    "4000::1", "localhost", "example.org", "127.1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1",
    "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.1", "192.0.1.1",
    "192.167.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_strangers_must_not_reach_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_beside_the_private_blocks_are_public(address: str) -> None:
    assert is_public(address)


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert is_public(text) in {True, False}
    assert is_disguised(text) in {True, False}


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "017700000001", "0177.0.0.1",
                                  "127.0.0.1.", "0x7F000001", "1.2.3.4.5"])  # fmt: skip
def test_a_number_in_another_spelling_is_a_disguise(host: str) -> None:
    assert is_disguised(host)
    with pytest.raises(BlockedAddressError) as caught:
        Guard().check(parse_url(f"http://{host}/"))
    assert caught.value.sentence.startswith("Blocked: private address")


@pytest.mark.parametrize("host", ["127.0.0.1", "8.8.8.8", "1e100.net", "0x7f.example", "::1"])
def test_plain_addresses_and_names_are_no_disguise(host: str) -> None:
    assert not is_disguised(host)


def test_full_width_digits_and_dots_are_read_as_what_they_mean() -> None:
    with pytest.raises(BlockedAddressError):
        Guard().check(parse_url("http://１２７。０。０。１/"))


def test_names_pass_since_they_are_judged_when_looked_up() -> None:
    Guard().check(parse_url("http://feeds.example.org/"))


def test_allowing_names_one_port_of_one_host() -> None:
    guard = Guard(NetSettings(allow=("localhost:8080", "[::1]:81", "Bücher.example:443")))
    assert guard.allows("http://localhost:8080/feed")
    assert guard.allows("http://LOCALHOST:8080/feed")
    assert guard.allows("http://[::1]:81/")
    assert guard.allows("https://bücher.example/")
    assert not guard.allows("http://localhost/")
    assert not guard.allows("http://localhost:8081/")
    assert not guard.allows("http://127.0.0.1:8080/")
    assert not guard.allows("http://localhost.example:8080/")
    assert not guard.allows("http://localhost:8080@example.org/")


def test_a_star_allows_every_port_of_one_host() -> None:
    guard = Guard(NetSettings(allow=("127.0.0.1:*",)))
    assert guard.allows("http://127.0.0.1/")
    assert guard.allows("https://127.0.0.1:9200/")
    assert not guard.allows("http://127.0.0.2/")


@pytest.mark.parametrize(
    "entry", ["localhost", "*:80", "localhost:http", "a b:1", "h:0", ":80", ""]
)
def test_an_entry_that_is_not_host_and_port_is_named(entry: str) -> None:
    with pytest.raises(UsageError) as caught:
        Guard(NetSettings(allow=(entry,)))
    assert repr(entry) in caught.value.sentence


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("http://example.org", "http://example.org"),
        ("HTTPS://example.org/a%2Fb?q=%2f+%7e#x", "https://example.org/a%2Fb?q=%2f+%7e#x"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://user:pw@example.org/feed", "http://user:pw@example.org/feed"),
    ],
)
def test_a_url_is_kept_as_it_was_written(text: str, kept: str) -> None:
    assert check_url(text) == kept


def test_the_scheme_is_asked_for_where_it_is_missing() -> None:
    with pytest.raises(UsageError) as caught:
        check_url("example.org/feed")
    assert caught.value.hint == "Did you mean https://example.org/feed ?"


def test_credentials_are_split_off_and_decoded() -> None:
    assert split_credentials("https://me:p%40ss@example.org:8443/f?a=%2F") == (
        "https://example.org:8443/f?a=%2F",
        "me",
        "p@ss",
    )
    assert split_credentials("https://example.org/f") == ("https://example.org/f", "", "")


@given(st.text())
def test_check_url_gives_ascii_that_it_takes_again_or_refuses(text: str) -> None:
    for candidate in (text, f"http://{text}", f"https://example.org/{text}"):
        with suppress(UsageError):
            kept = check_url(candidate)
            assert kept.isascii()
            assert check_url(kept) == kept


def test_proxy_variables_are_named_without_their_values() -> None:
    warning = proxy_warning({"HTTPS_PROXY": "http://u:secret@proxy:1", "PATH": "/bin"})
    assert "HTTPS_PROXY" in warning
    assert "secret" not in warning
    assert proxy_warning({"http_proxy": "", "NO_PROXY": "x"}) == ""

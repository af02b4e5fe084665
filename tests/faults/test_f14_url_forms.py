from __future__ import annotations

import pytest

from ingest.errors import UsageError
from ingest.guard import check_url, split_credentials
from tests.evil import EvilServer
from tests.fetching import fetcher_for, refusal

OTHER_SCHEMES = [
    "file:///etc/passwd", "file://localhost/etc/passwd", "FILE:///etc/passwd", "file:/etc/passwd",
    "gopher://example.org/1", "ftp://example.org/feed", "data:text/xml,<rss/>", "javascript:x()",
    "unix:///run/x.sock", "ws://example.org/", "jar:http://example.org!/", "//example.org/feed",
    "/etc/passwd", "feed://example.org/", "://example.org", "",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHER_SCHEMES)
def test_f14_only_http_and_https_can_be_added(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_url(text)
    assert caught.value.sentence.startswith("Only http and https")


@pytest.mark.parametrize("text", ["http://", "http:///feed", "https://:80/", "http://[::1/",
                                  "http://a..b/", "http://a:99999/", "http://a:0/", "http://a\\@b/",
                                  "http://%6c%6fcalhost/"])  # fmt: skip
def test_f14_an_address_without_a_real_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_url(text)
    assert "no host name" in caught.value.sentence


@pytest.mark.parametrize("text", OTHER_SCHEMES[:9])
async def test_f14_a_redirect_to_another_scheme_is_not_followed(text: str) -> None:
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        error = await refusal(fetcher, server.url(f"/to/{text}"))
        assert len(server.heads) == 1
    assert error.sentence.startswith("Only http and https")


def test_f14_credentials_are_taken_out_of_the_url_for_the_secret_store() -> None:
    url, user, password = split_credentials(check_url("https://reader:s3cret@example.org/feed"))
    assert (url, user, password) == ("https://example.org/feed", "reader", "s3cret")


async def test_f14_credentials_of_a_url_appear_in_no_error_and_no_result() -> None:
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        url = server.url("/chain/0").replace("://", "://reader:s3cret@")
        error = await refusal(fetcher, url)
        assert "s3cret" not in f"{error}{error.sentence}{error.hint}"
        result = await fetcher.fetch(server.url("/good").replace("://", "://reader:s3cret@"))
        assert "s3cret" not in str(result)

"""The file of [api] token_file, and what the doctor says of a port without TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.token_file import file_token
from ingest.errors import FileError
from search.accounts import new_token
from search.api_settings import ApiSettings, plain_http_warning

EVERYWHERE = "0.0.0.0"  # noqa: S104  what is tested


def test_a_file_of_this_users_own_gives_its_token(tmp_path: Path) -> None:
    token, file = new_token(), tmp_path / "token"
    file.write_text(f"{token}\n")
    for mode in (0o600, 0o400, 0o440):
        file.chmod(mode)
        assert file_token(ApiSettings(token_file=str(file))) == token
    assert file_token(ApiSettings()) == ""


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (new_token(), 0o604, "chmod 600"),
        ("short", 0o600, "random characters"),
        ("", 0o600, "is empty"),
        ("two\nlines", 0o600, "one line"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_a_file_that_keeps_no_secret_is_one_sentence_without_it(
    tmp_path: Path, content: str | None, mode: int, says: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with pytest.raises(FileError) as caught:
        file_token(ApiSettings(token_file=str(file)))
    said = f"{caught.value.sentence} {caught.value.hint}"
    assert says in said
    assert "[api] token_file" in said
    assert not content or content not in said


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        (ApiSettings(), False),
        (ApiSettings(host="::1"), False),
        (ApiSettings(host=EVERYWHERE), True),
        (ApiSettings(host="192.0.2.1", hosts=("news.example",)), True),
        (ApiSettings(host="192.0.2.1", behind_proxy=True), False),
        (ApiSettings(host="192.0.2.1", tls_certificate="cert.pem"), False),
    ],
)
def test_a_port_that_others_reach_in_clear_is_warned_of(
    settings: ApiSettings, *, warns: bool
) -> None:
    assert bool(plain_http_warning(settings)) == warns


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (ApiSettings(), "http://127.0.0.1:8720"),
        (ApiSettings(host="::1"), "http://[::1]:8720"),
        (ApiSettings(host=EVERYWHERE), "http://127.0.0.1:8720"),
        (ApiSettings(host=EVERYWHERE, hosts=("news.example",)), "http://news.example:8720"),
        (ApiSettings(hosts=("news.example",), behind_proxy=True), "https://news.example"),
        (ApiSettings(hosts=("news.example",), tls_certificate="c"), "https://news.example:8720"),
    ],
)
def test_links_lead_to_the_name_that_others_use(settings: ApiSettings, url: str) -> None:
    assert settings.url(8720) == url

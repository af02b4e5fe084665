"""Secrets stay in a file that only its owner reads."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ingest.errors import NotFoundError, StoreError
from search.secrets import Secrets
from search.subscriptions import redacted

CANARY = "s3cr3tCANARYtoken0123"


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{CANARY}@example.org/hook",
        f"https://example.org/hook?api_key={CANARY}&room=7",
        f"https://example.org/hook?token={CANARY}",
        f"https://example.org/hook?to=%20x&{CANARY}",
        f"https://example.org/hook?x={CANARY}",
        f"https://example.org/services/T01/{CANARY}",
    ],
)
def test_what_gives_access_is_hidden_and_comes_back_as_it_was(tmp_path: Path, url: str) -> None:
    secrets = Secrets(tmp_path)
    hidden = secrets.hide(url)
    assert CANARY not in hidden
    assert "***" in redacted(hidden)
    assert Secrets(tmp_path).reveal(hidden) == url
    assert secrets.hide(url) == hidden


@pytest.mark.parametrize(
    "url", ["https://example.org/a-long-readable-path-name/hook", "http://127.0.0.1:80/x?room=7&b="]
)
def test_an_address_without_a_secret_stays_readable(tmp_path: Path, url: str) -> None:
    assert Secrets(tmp_path).hide(url) == url
    assert not (tmp_path / "secrets.json").exists()


def test_the_file_is_only_for_its_owner(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "secrets.new").touch(mode=0o644)  # left by a crash
    secrets.keep("value")
    mode = (tmp_path / "secrets" / "secrets.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert not (tmp_path / "secrets" / "secrets.new").exists()


def test_every_endpoint_has_a_signing_secret_of_its_own_that_stays(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    made = {
        secrets.make_signing_secret(one, target)
        for one in ("a", "b")
        for target in ("https://example.org/1", "https://example.org/2")
    }
    assert len(made) == 4
    again = Secrets(tmp_path)
    assert again.signing_secret("a", "https://example.org/1") in made
    assert again.make_signing_secret("a", "https://example.org/1") in made


def test_a_lost_secret_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.make_signing_secret("a", "https://example.org/")
    secrets.forget("a")
    with pytest.raises(NotFoundError) as caught:
        secrets.signing_secret("a", "https://example.org/")
    assert "subscriptions edit" in caught.value.hint
    with pytest.raises(NotFoundError):
        secrets.reveal("https://example.org/{secret:0123456789abcdef}")


def test_an_unreadable_file_stops_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(StoreError) as caught:
        Secrets(tmp_path)
    assert "secrets.json cannot be read" in caught.value.sentence

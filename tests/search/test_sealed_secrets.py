"""Secrets as ciphertext in the log."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest

from ingest.errors import FileError, NotFoundError, UsageError
from search.sealed_secrets import KEY_BYTES, SealedSecrets
from search.subscriptions import redacted

TARGET = "https://user:hunter2@hooks.example/T0K3Nabcdef0123456789/in?key=s3cret"


def key_file(folder: Path, name: str = "key") -> str:
    file = folder / name
    file.write_bytes(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    return str(file)


def test_what_is_sealed_on_one_machine_is_opened_on_another_with_the_same_key(
    tmp_path: Path,
) -> None:
    key = key_file(tmp_path)
    hidden = SealedSecrets(key).hide(TARGET)
    assert SealedSecrets(key).reveal(hidden) == TARGET
    assert SealedSecrets(key).hide(TARGET) == hidden
    for secret in ("hunter2", "T0K3N", "s3cret"):
        assert secret not in hidden
        assert secret not in redacted(hidden)
    assert "{secret:" not in redacted(hidden)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    hidden = SealedSecrets(key_file(tmp_path)).hide(TARGET)
    with pytest.raises(NotFoundError, match="another key"):
        SealedSecrets(key_file(tmp_path, "other")).reveal(hidden)


def test_two_endpoints_never_share_a_signing_secret(tmp_path: Path) -> None:
    vault = SealedSecrets(key_file(tmp_path))
    made = {vault.make_signing_secret(name, to) for name in ("a", "b") for to in ("x", "y")}
    assert len(made) == 4
    assert vault.signing_secret("a", "x") in made
    assert all(len(base64.b64decode(one.removeprefix("whsec_"))) == 32 for one in made)


def test_without_a_key_nothing_secret_is_stored_and_the_hint_says_how_to_make_one() -> None:
    vault = SealedSecrets("")
    assert vault.hide("https://hooks.example/in") == "https://hooks.example/in"
    with pytest.raises(UsageError) as failure:
        vault.hide(TARGET)
    assert "secret_key_file" in failure.value.hint


def test_a_file_that_is_no_key_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("short")
    for name in (str(file), str(tmp_path / "absent")):
        with pytest.raises(FileError) as failure:
            SealedSecrets(name)
        assert failure.value.place == name

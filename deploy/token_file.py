"""The file ``[api] token_file``: an account for machines that are set up by files."""

from __future__ import annotations

import stat
from pathlib import Path

from ingest.errors import FileError
from ingest.secret_file import read_secret
from search.accounts import TOKEN_PREFIX
from search.api_settings import ApiSettings

MIN_CHARS = 32
OTHERS = stat.S_IRWXO
"""Whoever else has a user on the machine; a group may read it: mounted secrets give it one."""


def file_token(settings: ApiSettings) -> str:
    """The token of an admin account; empty where no file is named.

    Raises:
        FileError: it cannot be read, others may read it, or it is too short to be a secret.
    """
    if not settings.token_file:
        return ""
    token = read_secret(settings.token_file, setting="[api] token_file")
    path = Path(settings.token_file).expanduser()
    if path.stat().st_mode & OTHERS:
        raise _unusable(path, "can be read by every user", f"Say: chmod 600 {path}")
    if len(token) < MIN_CHARS:
        hint = f"Write {TOKEN_PREFIX} and 43 random characters into it."
        raise _unusable(path, f"has fewer than {MIN_CHARS} characters", hint)
    return token


def _unusable(path: Path, what: str, hint: str) -> FileError:
    return FileError(
        f"{path} {what}",
        sentence=f"The file of [api] token_file {what}: {path}.",
        hint=hint,
        place=str(path),
    )

"""A password or key that a setting names the file of."""

from __future__ import annotations

from pathlib import Path

from ingest.errors import FileError


def read_secret(name: str, *, setting: str) -> str:
    """The one line of text in the file ``name``, which ``[section] key`` names.

    Raises:
        FileError: it cannot be read, or is not one line of text. Nothing of it is in the error.
    """
    path = Path(name).expanduser()
    try:
        found = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"cannot be read ({type(error).__name__})", setting) from None
    if not found:
        raise _unusable(path, "is empty", setting)
    if not found.isprintable():
        raise _unusable(path, "is not one line of text", setting)
    return found


def _unusable(path: Path, what: str, setting: str) -> FileError:
    return FileError(
        f"{path} {what}",
        sentence=f"The file of {setting} {what}: {path}.",
        hint=f"Name a readable file with one line in {setting}.",
        place=str(path),
    )

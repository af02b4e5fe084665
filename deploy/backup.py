"""A backup of a data folder in one file, also while Wirewatch works: log, bodies, maybe secrets.

The log is the database: SQLite's online backup copies it as of one instant while appends go on.
The index is left out, since ``restore`` builds it from the log. The file is a zip archive whose
last entry, ``manifest.json``, names the others with their checksums; it has its name only when
it is whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from deploy.folder import DataFolder
from ingest.errors import StoreError, UnavailableError, UsageError, WirewatchError
from ingest.sqlite_file import MIGRATIONS, is_full, open_reader, store_error
from ingest.wire import Time, decode, encode

FORMAT = 1
"""Of the file. A newer one is refused."""

MANIFEST = "manifest.json"
LOG, QUARANTINE, SECRETS = "log.sqlite", "quarantine", "secrets"

CHUNK_BYTES = 1 << 20
FASTEST = 1
"""Of zlib: 70 MB/s on one core instead of 25, for a file a tenth larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file in the backup."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made_by: The version of Wirewatch.
        log_version: Of the tables of the log.
        secrets: Whether the secrets of targets and feeds are in it.
        parts: Every file by its name.
    """

    format: int = FORMAT
    made_by: str
    log_version: int
    at: Time
    secrets: bool
    parts: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBackup:
    """What the data folder remembers of its last backup, for ``doctor``."""

    file: str
    at: Time
    bytes: int


def back_up(folder: DataFolder, file: Path, *, secrets: bool) -> Iterator[tuple[int, int]]:
    """Write the backup ``file``; (bytes done, bytes in all) as it goes.

    Only for the folder's owner. Whoever ends early leaves no ``file``, or the one before.

    Raises:
        UsageError: there is no such place to write to, or nothing to back up.
        UnavailableError: the disk is full.
        StoreError: the log is damaged.
    """
    _refuse(folder, file)
    part, copy = file.with_name(f"{file.name}.part"), file.with_name(f"{file.name}.part-log")
    part.unlink(missing_ok=True)
    at = datetime.now(UTC)
    try:
        _copy_log(folder.log, copy)
        files = {LOG: copy, **_files(folder.quarantine)}
        if secrets:
            files |= _files(folder.secrets)
        manifest = Manifest(
            made_by=version("wirewatch"), log_version=len(MIGRATIONS), at=at, secrets=secrets
        )
        yield from _pack(files, part, manifest)
        _durable(part)
        part.replace(file)
        _durable(file.parent)
        _note(folder, LastBackup(file=str(file), at=at, bytes=file.stat().st_size))
    except sqlite3.Error as error:
        raise _sqlite_failed(error, file) from error
    except OSError as error:
        raise _failed(error, file) from error
    finally:
        for leftover in (part, copy):
            leftover.unlink(missing_ok=True)


def last_backup(folder: DataFolder) -> LastBackup | None:
    """The last backup that was made of ``folder``; None where none was."""
    try:
        return decode(LastBackup, _note_file(folder).read_bytes())
    except (FileNotFoundError, WirewatchError):  # a torn note is no reason to say more
        return None


def _refuse(folder: DataFolder, file: Path) -> None:
    if not folder.log.exists():
        raise UsageError(
            f"{folder.path} holds no log",
            sentence=f"There is nothing to back up in {folder.path}.",
            hint="Name the data folder: wirewatch --data DIR backup FILE",
        )
    if file.is_dir() or not file.parent.is_dir():
        raise UsageError(
            f"cannot write {file}",
            sentence=f"{file} cannot be a backup: it is a folder, or its folder is not there.",
            hint="Name a file in a folder that is there.",
        )


def _copy_log(log: Path, copy: Path) -> None:
    """The log as of one instant; nobody waits for it."""
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    with closing(open_reader(log)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        found = target.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(
            f"quick_check: {found}",
            sentence="The log file is damaged: a backup of it would be of no use.",
            hint="Restore the data folder from an earlier backup.",
            code="damaged",
        )


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {f"{folder.name}/{one.name}": one for one in sorted(folder.iterdir()) if one.is_file()}


def _pack(files: Mapping[str, Path], part: Path, manifest: Manifest) -> Iterator[tuple[int, int]]:
    sizes = {name: one.stat().st_size for name, one in files.items() if one.exists()}
    done, total = 0, sum(sizes.values())
    yield done, total
    parts: dict[str, Part] = {}
    opened = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(opened, "w+b") as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=FASTEST) as archive,
    ):
        for name, source in files.items():
            hashed, size = hashlib.sha256(), 0
            for chunk in _written(source, name, archive):
                hashed.update(chunk)
                size += len(chunk)
                yield min(done + size, total), total
            done += size
            if name in archive.NameToInfo:
                parts[name] = Part(sha256=hashed.hexdigest(), bytes=size)
        archive.writestr(MANIFEST, encode(replace(manifest, parts=parts)))
    yield total, total


def _written(source: Path, name: str, archive: zipfile.ZipFile) -> Iterator[bytes]:
    """The chunks of ``source``, each once it is in the archive."""
    try:
        stream = source.open("rb")
    except FileNotFoundError:  # a body whose row was dropped meanwhile
        return
    with stream, archive.open(name, "w", force_zip64=True) as entry:
        while chunk := stream.read(CHUNK_BYTES):
            entry.write(chunk)
            yield chunk


def _durable(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _note(folder: DataFolder, last: LastBackup) -> None:
    draft = _note_file(folder).with_suffix(".new")
    draft.write_bytes(encode(last))
    draft.replace(_note_file(folder))


def _note_file(folder: DataFolder) -> Path:
    return folder.path / "backup.json"


def _sqlite_failed(error: sqlite3.Error, file: Path) -> StoreError:
    return _full(error, file) if is_full(error) else store_error(error)


def _failed(error: OSError, file: Path) -> WirewatchError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _full(error, file)
    return UsageError(
        f"{file}: {error}",
        sentence=f"The backup {file} cannot be written: {error.strerror}.",
        hint="Name a file in a folder that you may write to.",
    )


def _full(error: Exception, file: Path) -> UnavailableError:
    return UnavailableError(
        str(error),
        sentence=f"Disk full: the backup {file} was not made; nothing else is touched.",
        hint="It takes up to twice the size of the log for a moment. Name a file on another disk.",
        code="disk-full",
    )

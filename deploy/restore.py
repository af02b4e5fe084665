"""A data folder from a backup: checked first, then put in place as a whole.

Everything is unpacked beside the data and compared with the checksums before anything there is
touched. Renaming the unpacked folder decides: whoever is killed after that, the
next to open the folder moves the rest into place.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.backup import CHUNK_BYTES, FORMAT, LOG, MANIFEST, QUARANTINE, SECRETS, Manifest
from deploy.folder import DataFolder
from ingest.errors import (
    FileError,
    MalformedRecordError,
    NewerSchemaError,
    UnavailableError,
    UsageError,
)
from ingest.sqlite_file import MIGRATIONS
from ingest.wire import decode

DRAFT, DECIDED = "restoring.part", "restoring-"
LOG_FILES = (LOG, f"{LOG}-wal", f"{LOG}-shm")
_PLAIN = re.compile(r"[\w-][\w.-]*", re.ASCII)
_DAMAGES = (zipfile.BadZipFile, KeyError, EOFError, zlib.error, MalformedRecordError)

MANIFEST_BYTES = 100_000_000
"""Of a folder with a million quarantined bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A backup beside the data of a folder, whole and checked.

    Attributes:
        log: The file of its log, to which more may be appended before it is put in place.
    """

    manifest: Manifest
    log: Path


def unpack(folder: DataFolder, file: Path, *, replacing: bool) -> Unpacked:
    """Check ``file`` and unpack it in ``folder``, whose data stays as it is.

    Raises:
        UsageError: ``folder`` holds data, and ``replacing`` was not asked for.
        FileError: ``file`` is no backup, or damaged.
        NewerSchemaError: it was made by a newer version.
        UnavailableError: the disk is full.
    """
    if folder.log.exists() and not replacing:
        raise UsageError(
            f"{folder.path} holds data",
            sentence=f"The data folder {folder.path} holds data already.",
            hint="Name an empty one with --data, or set what is there aside with --replace.",
            code="not-empty",
        )
    draft = folder.path / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive, file)
            draft.mkdir(mode=0o700)
            for name in manifest.parts:
                _unpack(name, archive, draft, manifest)
    except _DAMAGES as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise _damaged(file, error) from error
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise _failed(error, file) from error
    return Unpacked(manifest=manifest, log=draft / LOG)


def put_in_place(folder: DataFolder) -> Path | None:
    """Make what ``unpack`` left the data of ``folder``; where what was there lies now, if any."""
    for empty in LOG_FILES[1:]:  # left by whoever appended to the unpacked log, and closed it
        (folder.path / DRAFT / empty).unlink(missing_ok=True)
    (folder.path / DRAFT).rename(folder.path / f"{DECIDED}{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    return finish_restoring(folder)


def finish_restoring(folder: DataFolder) -> Path | None:
    """End a restore that was decided on; nothing where there is none. Safe to repeat.

    Only for the folder's owner, and before its log is opened.
    """
    aside: Path | None = None
    for decided in sorted(folder.path.glob(f"{DECIDED}*")):
        aside = folder.path / f"replaced-{decided.name.removeprefix(DECIDED)}"
        shutil.rmtree(folder.index, ignore_errors=True)  # a projection: it is built from the log
        for one in sorted(decided.iterdir(), key=lambda one: one.name == LOG):  # the log last
            for name in LOG_FILES if one.name == LOG else (one.name,):
                _set_aside(folder.path / name, aside)
            one.rename(folder.path / one.name)
        decided.rmdir()
    return aside if aside is not None and aside.is_dir() else None


def _set_aside(path: Path, aside: Path) -> None:
    if path.exists():
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside / path.name)


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    with archive.open(MANIFEST) as stream:
        manifest = decode(Manifest, stream.read(MANIFEST_BYTES))
    if manifest.format > FORMAT or manifest.log_version > len(MIGRATIONS):
        raise NewerSchemaError(
            f"format {manifest.format}, log {manifest.log_version}",
            sentence=f"{file} was made by version {manifest.made_by} of Wirewatch; upgrade.",
            hint="Install that version or a newer one here, then restore again.",
        )
    if LOG not in manifest.parts:
        raise KeyError(LOG)
    return manifest


def _unpack(name: str, archive: zipfile.ZipFile, draft: Path, manifest: Manifest) -> None:
    if not _is_ours(name):
        raise KeyError(name)
    target = draft / name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    target.touch(mode=0o600)
    hashed, left = hashlib.sha256(), manifest.parts[name].bytes
    with archive.open(name) as source, target.open("wb") as stream:
        # Never more than was promised: a few bytes of zip can hold a full disk.
        while chunk := source.read(min(CHUNK_BYTES, left)):
            left -= len(chunk)
            hashed.update(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    if hashed.hexdigest() != manifest.parts[name].sha256:
        raise KeyError(name)


def _is_ours(name: str) -> bool:
    """Whether a backup may have a file of this name: nothing else of a data folder is replaced."""
    folder, slash, rest = name.partition("/")
    if not slash:
        return name == LOG
    return folder in (QUARANTINE, SECRETS) and bool(_PLAIN.fullmatch(rest))


def _damaged(file: Path, error: Exception) -> FileError:
    return FileError(
        f"{file}: {type(error).__name__}: {error}",
        sentence=f"{file} is no backup of Wirewatch, or it is damaged. Nothing was touched.",
        hint="Take another copy of it.",
        place=str(file),
    )


def _failed(error: OSError, file: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return UnavailableError(
            str(error),
            sentence=f"Disk full: {file} cannot be unpacked. What was there is untouched.",
            hint="Free some space on the disk of the data folder, then restore again.",
            code="disk-full",
        )
    return FileError(
        f"{file}: {error}",
        sentence=f"{file} cannot be restored: {error.strerror or error}.",
        hint="Name a file made by: wirewatch backup FILE",
        place=str(file),
    )

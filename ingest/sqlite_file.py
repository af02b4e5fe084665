"""The file of the SQLite log: its tables, how it is opened, and what its errors mean.

A record's row id is ``part id << 40 | offset``: one B-tree, in which a partition is one
contiguous range and an offset is never given twice.
"""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

from ingest.errors import NewerSchemaError, StoreError, UnavailableError

OFFSET_BITS = 40
"""10^12 records a partition and 2^23 partitions fit into SQLite's signed 64-bit row id."""

OFFSET_MASK = (1 << OFFSET_BITS) - 1

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "create table fact(name text primary key, value text not null) without rowid",
        """create table topic(id integer primary key, name text not null unique,
            compacted integer not null, retention_days real)""",
        """create table part(id integer primary key, topic integer not null,
            number integer not null, next integer not null default 0,
            last_at integer not null default 0, unique(topic, number))""",
        """create table record(rid integer primary key, at integer not null,
            key text not null, value blob)""",
        # The newest row of every key of a compacted topic, kept in the append's transaction.
        """create table latest(topic integer not null, key text not null,
            rid integer not null, primary key(topic, key)) without rowid""",
        # What a sweep may delete, and from when on: a sweep costs what it deletes, not a scan.
        """create table stale(due integer not null, rid integer not null,
            primary key(due, rid)) without rowid""",
        """create table progress(consumers text not null, part integer not null,
            next integer not null, primary key(consumers, part)) without rowid""",
    ),
)
"""The statements that lead from each version of the file to the next."""

_BUSY_SECONDS = 30.0
"""Only a backup tool of the user's can hold the lock: one process owns the data folder."""

_CHECKPOINT_PAGES = 2_000
"""Of 8 kB: 16 MB of write-ahead log between two checkpoints, each of which costs two fsyncs."""

_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"})
"""No space, and what a quota or a limit of the file's size looks like through SQLite."""

_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes and checkpoints, to tables of this version.

    Two connections that checkpoint at the same instant can corrupt a file
    (https://sqlite.org/wal.html#walresetbug, SQLite 3.7.0 to 3.51.2): hence one.

    Raises:
        NewerSchemaError: the file was made by a newer version; it is left as it was.
        StoreError: it is damaged, or no SQLite file.
        UnavailableError: it cannot be opened or written now.
    """
    connection: sqlite3.Connection | None = None
    try:
        path.touch(mode=0o600)  # SQLite gives its side files the same rights
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
        )
        _refuse_newer(connection, path)
        _configure(connection)
        _migrate(connection)
    except (sqlite3.Error, NewerSchemaError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise store_error(error) from error
        raise
    except OSError as error:
        raise UnavailableError(
            f"{path}: {error}",
            sentence=f"The log {path} cannot be opened: {error.strerror}.",
            hint="Look at the rights and the free space of the data folder.",
        ) from error
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read, and so never checkpoints."""
    uri = path.resolve().as_uri() + "?mode=ro"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
    )
    connection.execute("pragma wal_autocheckpoint = 0")
    return connection


def is_full(error: sqlite3.Error) -> bool:
    """Whether ``error`` says that there is no room to write."""
    return getattr(error, "sqlite_errorname", "") in _FULL


def store_error(error: sqlite3.Error) -> StoreError:
    """What ``error`` of SQLite's means to the callers of a log."""
    name = getattr(error, "sqlite_errorname", "")
    message = f"{name or type(error).__name__}: {error}"
    if is_full(error):
        return UnavailableError(
            message,
            sentence="Disk full: nothing new can be stored, reading still works.",
            hint="Free some space on the disk of the data folder; work then goes on by itself.",
            code="disk-full",
        )
    if name in _DAMAGED:
        return StoreError(
            message,
            sentence="The log file is damaged or is not a log of Wirewatch.",
            hint="Restore the data folder from a backup.",
            code="damaged",
        )
    return UnavailableError(message, sentence=f"The log cannot be used now ({error}).")


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise NewerSchemaError(
            f"{path} has version {version}, this program knows {len(MIGRATIONS)}",
            sentence=f"This data folder was made by a newer version of Wirewatch ({path.name} "
            f"has version {version}, this program knows up to {len(MIGRATIONS)}).",
            hint="Upgrade Wirewatch on this machine, then start it again.",
        )


def _configure(connection: sqlite3.Connection) -> None:
    for setting in (
        "page_size = 8192",  # a record of 3 kB wastes a quarter of a page of 4 kB
        "journal_mode = wal",
        "synchronous = full",  # what was acknowledged survives a power cut (promise P3)
        "fullfsync = on",  # macOS: fsync alone leaves data in the drive's cache
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        "journal_size_limit = 67108864",  # gives the space of a burst back
        "secure_delete = on",  # what was deleted is in no byte of the file (row F66)
    ):
        connection.execute(f"pragma {setting}")


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this version in one transaction; a kill within leaves it as it was."""
    connection.execute("begin immediate")
    try:
        for statements in MIGRATIONS[_version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(
            "insert or ignore into fact values ('identity', ?)", (secrets.token_urlsafe(16),)
        )
        connection.execute(f"pragma user_version = {len(MIGRATIONS)}")
        connection.execute("commit")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])

"""What a process has to say while it works: events, one a line, on standard error."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import EventDict

from ingest.clean import printable
from ingest.wire import format_time


def log_to_stderr(least: Literal["info", "warning"] = "info") -> None:
    """Events as key-value lines on standard error, control characters escaped (row F50)."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _shown,
            structlog.processors.LogfmtRenderer(
                key_order=("timestamp", "level", "event"), bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _Tolerant(sys.stderr))),
    )


@contextlib.contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Only what is amiss, as ``log_to_stderr`` writes it, within the block: for short commands."""
    before = structlog.get_config()
    log_to_stderr("warning")
    try:
        yield
    finally:
        structlog.configure(**before)


def _shown(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Times as Wirewatch writes them, text that cannot act on a terminal, nothing empty."""
    return {name: _plain(value) for name, value in event.items() if value not in (None, "")}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    return printable(value) if isinstance(value, str) else value


class _Tolerant(io.TextIOBase):
    """Standard error that may be on a full disk or closed: an event lost there stops nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

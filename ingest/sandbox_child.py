"""The inside of a sandbox process: takes frames from its parent, calls one function, answers.

Started by `ingest.sandbox` as ``python -I -c``, with an empty environment. Imports nothing of the
product but the error tree and the function it serves, so that a start costs little.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from ingest.errors import WirewatchError

MAX_FRAME_BYTES = 16_000_000
"""Both ways: above the 15 MB of a decoded body, far below what could hurt the parent."""

ALARM_SLACK_SECONDS = 2
"""The parent ends a call on time; should it be dead, the kernel ends the child so much later."""

Target = Callable[[dict[str, Any], bytes], dict[str, Any]]

_REFUSED_EVENTS = (
    "socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.system",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod",
    "os.chown", "os.truncate", "os.putenv", "os.kill", "shutil.", "tempfile.", "pty.", "ftplib.",
    "http.client.", "urllib.", "smtplib.", "webbrowser.", "ctypes.dlopen", "sqlite3.",
)  # fmt: skip
"""Starts of the audit events (PEP 578) that no reader of feeds has a use for."""

_NETWORK_EVENTS = ("socket.", "http.client.", "urllib.", "smtplib.")
"""Of these, what a target may do that guards its own connections."""

_MAX_OPEN_FILES = 32
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


def serve(target: str, *, seconds: float, memory_bytes: int, network: bool = False) -> None:
    """Answer the parent's calls of ``target`` (``module:function``) until it closes the channel.

    ``network``: it may open sockets, which it guards itself.
    """
    channel = _take_channel()
    try:
        module, _, name = target.partition(":")
        function: Target = getattr(importlib.import_module(module), name)
    except Exception as error:  # noqa: BLE001 - the parent says why the start failed
        _write_frame(channel, _dump({"failed": f"{type(error).__name__}: {error}"[:2_000]}))
        return
    _limit(memory_bytes)
    sys.addaudithook(partial(_audit, allowed=_NETWORK_EVENTS if network else ()))
    _write_frame(channel, _dump({"ready": True}))
    while (header := _read_frame(channel)) is not None:
        body = _read_frame(channel)
        if body is None:
            return
        # Kills a child whose parent died in the middle of an endless call; needs no interpreter.
        signal.alarm(math.ceil(seconds) + ALARM_SLACK_SECONDS)
        answer = _answer(function, header, body)
        signal.alarm(0)
        _write_frame(channel, answer)


def _answer(function: Target, header: bytes, body: bytes) -> bytes:
    try:
        answer = _dump(function(json.loads(header), body))
    except WirewatchError as error:
        return _dump({"error": error.as_json()})
    except MemoryError:
        return _dump({"error": {"code": "out-of-memory"}})
    except Exception as error:  # noqa: BLE001 - told to the parent, which quarantines the feed
        return _dump(
            {"error": {"code": "crashed", "why": f"{type(error).__name__}: {error}"[:500]}}
        )
    if len(answer) > MAX_FRAME_BYTES:
        return _dump({"error": {"code": "crashed", "why": f"answer of {len(answer)} bytes"}})
    return answer


def _dump(answer: dict[str, Any]) -> bytes:
    # Lone surrogates are no UTF-8: they become "?".
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _take_channel() -> int:
    """The channel to the parent, which came as stdin; stdin reads nothing from now on."""
    channel = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.dont_write_bytecode = True
    return channel


def _limit(memory_bytes: int) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,  # no feed's bytes in core files
        resource.RLIMIT_FSIZE: 0,  # no file can grow
        resource.RLIMIT_NOFILE: _MAX_OPEN_FILES,
        resource.RLIMIT_AS: memory_bytes,  # accepted but without effect on macOS
    }
    for kind, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a lower hard limit stands already
            resource.setrlimit(kind, (limit, limit))


def _audit(event: str, args: tuple[Any, ...], *, allowed: tuple[str, ...]) -> None:
    if event == "open":
        _, mode, flags = args
        writes = isinstance(flags, int) and flags & _WRITING
        if not writes and not (isinstance(mode, str) and set(mode) & set("wax+")):
            return
    elif not event.startswith(_REFUSED_EVENTS) or event.startswith(allowed):
        return
    elif event == "os.kill" and args[0] == os.getpid():
        return  # a process may end itself
    raise PermissionError(f"refused in the sandbox: {event}")


def _read_frame(channel: int) -> bytes | None:
    """The next frame, or None where the parent is gone."""
    length = _read_exactly(channel, 4)
    if length is None:
        return None
    return _read_exactly(channel, int.from_bytes(length, "big"))


def _read_exactly(channel: int, count: int) -> bytes | None:
    found = bytearray()
    while len(found) < count:
        piece = os.read(channel, min(count - len(found), 1 << 20))
        if not piece:
            return None
        found += piece
    return bytes(found)


def _write_frame(channel: int, payload: bytes) -> None:
    rest = memoryview(len(payload).to_bytes(4, "big") + payload)
    while rest:
        rest = rest[os.write(channel, rest) :]

"""Functions that the sandbox tests run in a child process, most of them ill-behaved."""

from __future__ import annotations

import io
import json
import os
import resource
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import feedparser

from ingest.errors import UnreadableError
from ingest.reading import answer


def echo(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    return {"header": header, "size": len(body), "pid": os.getpid()}


def act(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Do what ``header["do"]`` names; without it, answer."""
    action = header.get("do")
    if action:
        _ACTIONS[str(action)](header, body)
    return {"done": True, "pid": os.getpid()}


def surroundings(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """What the child can see of the outside."""
    del header, body
    descriptors = [fd for fd in range(256) if _is_open(fd)]
    return {
        "environment": dict(os.environ),
        "descriptors": descriptors,
        "session_leader": os.getsid(0) == os.getpid(),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "working_folder": str(Path.cwd()),
    }


def parse(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Read ``body`` with feedparser, as bombs are aimed at it."""
    del header
    found = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    return {"entries": [entry.get("title", "") for entry in found.entries]}


def fragile(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The product's reader, but one that a word in the body makes crash or never end."""
    if b"CRASH" in body:
        _segfault(header, body)
    if b"SPIN" in body:
        _spin(header, body)
    return answer(header, body)


def many(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """An answer of ``count`` entries of ``size`` characters."""
    del body
    return {"entries": [{"text": "x" * header["size"]} for _ in range(header["count"])]}


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _channel() -> int:
    """The descriptor of the frames, which a parser that was taken over would find as well."""
    return next(fd for fd in range(3, 32) if _is_open(fd) and stat.S_ISSOCK(os.fstat(fd).st_mode))


def _spin(header: dict[str, Any], body: bytes) -> None:
    del header, body
    while True:
        pass


def _sleep(header: dict[str, Any], body: bytes) -> None:
    del body
    time.sleep(header["seconds"])


def _segfault(header: dict[str, Any], body: bytes) -> None:
    del header, body
    os.kill(os.getpid(), 11)


def _exit(header: dict[str, Any], body: bytes) -> None:
    del header, body
    os._exit(0)


def _hoard(header: dict[str, Any], body: bytes) -> None:
    del header, body
    held = []
    while True:
        held.append(bytearray(16 << 20))


def _print(header: dict[str, Any], body: bytes) -> None:
    del header, body
    print("\x00\x00\x00\x02{}" * 1000, flush=True)
    print("noise", file=sys.stderr, flush=True)
    os.write(1, b"raw noise")


def _refuse(header: dict[str, Any], body: bytes) -> None:
    del header, body
    raise UnreadableError(
        "made up", code="entities", sentence="Refused: declares entities.", hint="Tell them."
    )


def _fail(header: dict[str, Any], body: bytes) -> None:
    del header, body
    raise LookupError("a plain bug")


def _raw(header: dict[str, Any], body: bytes) -> None:
    """Send the bytes of ``body`` as if they were an answer, then nothing more."""
    del header
    os.write(_channel(), body)
    time.sleep(60)


def _connect(header: dict[str, Any], body: bytes) -> None:
    del body
    with socket.create_connection(("127.0.0.1", header["port"]), timeout=2):
        pass


def _write(header: dict[str, Any], body: bytes) -> None:
    Path(header["path"]).write_bytes(body)


def _run(header: dict[str, Any], body: bytes) -> None:
    del body
    subprocess.run(["/bin/sh", "-c", f"echo x > {header['path']}"], check=False)


def _fork(header: dict[str, Any], body: bytes) -> None:
    del header, body
    os.fork()


def _surrogate(header: dict[str, Any], body: bytes) -> None:
    del header, body
    json.dumps("\ud800")


_ACTIONS = {
    "spin": _spin,
    "sleep": _sleep,
    "segfault": _segfault,
    "exit": _exit,
    "hoard": _hoard,
    "print": _print,
    "refuse": _refuse,
    "fail": _fail,
    "raw": _raw,
    "connect": _connect,
    "write": _write,
    "run": _run,
    "fork": _fork,
}

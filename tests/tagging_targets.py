"""A tagging process that some texts bring down."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from processors import tagging_child


def fragile(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The product's own, but a word in a text makes it crash or never end."""
    if b"CRASH" in body:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"SPIN" in body:
        time.sleep(60)
    return tagging_child.answer(header, body)


def broken(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """One that cannot take up topics."""
    raise OSError(header, body)

"""One line of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor."""

    name: str
    state: Literal["ok", "warn", "fail"]
    version: str
    sentence: str
    remedy: str = ""

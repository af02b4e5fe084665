"""What is to be done with one document; free of Elasticsearch's client, which may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One document to write, or to delete where ``body`` is None.

    Attributes:
        version: What stands already stays unless this is higher (``external``), or as high
            (``external_gte``).
    """

    index: str
    id: str
    version: int
    body: Mapping[str, Any] | None
    version_type: Literal["external", "external_gte"] = "external"

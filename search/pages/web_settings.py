"""Settings of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from search.pages.times import is_zone


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError(f"there is no time zone {name}; name it as Europe/Berlin")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """How pages are shown."""

    zone: Annotated[
        str,
        AfterValidator(_zone),
        Field(description="Time zone of pages for readers whose browser tells none."),
    ] = "UTC"

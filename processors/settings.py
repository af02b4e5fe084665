"""The settings of the stages of this folder: plain values, read by nobody but `deploy.settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class StoriesSettings:
    """How articles are grouped."""

    window_hours: Annotated[
        float,
        Field(gt=0, description="Hours in which copies and stories are looked for."),
    ] = 72

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


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """How a stage that is a process of its own shows whether it works."""

    metrics_host: Annotated[
        str, Field(description="Address on which /healthz and /metrics of the stage answer.")
    ] = "127.0.0.1"
    metrics_port: Annotated[
        int, Field(ge=0, le=65_535, description="Their port; 0 switches them off.")
    ] = 0
    silent_seconds: Annotated[
        float,
        Field(
            ge=5,
            description="Seconds without an acknowledgement, while records wait, after which the "
            "stage ends so that its supervisor starts it again.",
        ),
    ] = 60.0

"""The section ``[alerts]`` of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """When alerts are made, and how they are delivered."""

    first_poll_hours: Annotated[
        float,
        Field(
            gt=0,
            description="Hours; entries older than this at a feed's first poll alert nobody.",
        ),
    ] = 24
    folder: Annotated[
        str,
        Field(
            description="A folder below which file: targets may be asked for over the network; "
            "empty allows none."
        ),
    ] = ""
    link_base: Annotated[
        str,
        Field(
            description="The address of this Wirewatch as receivers of alerts reach it; empty for "
            "[api] host and port."
        ),
    ] = ""
    webhook_seconds: Annotated[
        float, Field(gt=0, description="Seconds that a webhook's receiver has to answer.")
    ] = 15
    connect_seconds: Annotated[
        float, Field(gt=0, description="Seconds to connect to a webhook's receiver.")
    ] = 10
    payload_bytes: Annotated[
        int, Field(ge=8_000, le=100_000, description="Bytes that an alert's payload has at most.")
    ] = 20_000
    storm: Annotated[
        str,
        Field(
            pattern=r"^([1-9]\d{0,3}/\d{0,5}[smhd])?$",
            description="How many alerts a subscription sends one by one, as 60/1m; what is above "
            "comes together in one digest. Empty for no limit.",
        ),
    ] = "60/1m"
    digest_parts: Annotated[
        int,
        Field(
            gt=0,
            le=1_000,
            description="Messages of payload_bytes each that a scheduled digest is split into at "
            "most; the rest is counted.",
        ),
    ] = 20
    answer_bytes: Annotated[
        int, Field(ge=0, description="Bytes of a receiver's answer that are read at most.")
    ] = 65_536
    in_flight_per_host: Annotated[
        int, Field(gt=0, description="Webhook requests under way to one host at a time.")
    ] = 10
    disable_after_hours: Annotated[
        float,
        Field(gt=0, description="Hours of failing after which nothing is sent to a receiver."),
    ] = 75
    claim_days: Annotated[
        float,
        Field(gt=0, description="Days that an alert is kept after its story last matched."),
    ] = 33

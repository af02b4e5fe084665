"""The settings of the stages of this folder: plain values, read by nobody but `deploy.settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class NetSettings:
    """The section ``[net]``."""

    allow: Annotated[
        tuple[str, ...],
        Field(
            description="Hosts that may have a private address, as host:port or host:*; matched "
            "on the URL's host and port at every hop."
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """The section ``[fetch]``."""

    total_seconds: Annotated[
        float, Field(gt=0, description="Longest time of one fetch, all redirects included.")
    ] = 30.0
    connect_seconds: Annotated[
        float, Field(gt=0, description="Longest time to look a host up and connect, in seconds.")
    ] = 10.0
    wire_bytes: Annotated[
        int, Field(gt=0, description="Largest body as it comes over the wire, in bytes.")
    ] = 10_000_000
    decoded_bytes: Annotated[
        int, Field(gt=0, description="Largest body once unpacked, in bytes.")
    ] = 15_000_000
    redirects: Annotated[int, Field(ge=0, description="Most redirects followed in a row.")] = 5
    host_gap_seconds: Annotated[
        float, Field(ge=0, description="Shortest time between two requests to one host.")
    ] = 1.0
    host_connections: Annotated[
        int, Field(gt=0, description="Most requests to one host at the same time.")
    ] = 1
    user_agent: Annotated[
        str, Field(min_length=1, description="How Wirewatch names itself to servers.")
    ] = "Wirewatch/0.1"
    contact: Annotated[
        str, Field(description="Address or page where a site's owner reaches you; sent along.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseSettings:
    """The section ``[parse]``."""

    seconds: Annotated[
        float, Field(gt=0, description="Longest time to read one feed, in seconds.")
    ] = 5.0
    memory_bytes: Annotated[
        int, Field(ge=1 << 27, description="Most memory of one reader process, in bytes.")
    ] = 1 << 30
    recycle_after: Annotated[
        int, Field(gt=0, description="Feeds that one reader process reads before it is replaced.")
    ] = 500
    processes: Annotated[
        int, Field(gt=0, description="Reader processes kept ready, each a processor's worth.")
    ] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleLimits:
    """How much of an entry is kept; what is cut ends in "…" and is noted."""

    title_chars: Annotated[
        int, Field(gt=0, le=8_000, description="Longest title kept, in characters.")
    ] = 1_000
    text_bytes: Annotated[
        int, Field(ge=1_000, le=400_000, description="Longest text kept, in bytes of UTF-8.")
    ] = 400_000
    url_chars: Annotated[
        int, Field(ge=100, le=8_000, description="Longest link kept, in characters.")
    ] = 2_000
    author_chars: Annotated[
        int, Field(gt=0, le=1_000, description="Longest author name kept, in characters.")
    ] = 300
    guid_chars: Annotated[
        int, Field(gt=0, le=8_000, description="Longest guid kept for display, in characters.")
    ] = 1_000
    tags: Annotated[
        int, Field(gt=0, le=100, description="Most categories and most authors kept of an entry.")
    ] = 50
    tag_chars: Annotated[
        int, Field(gt=0, le=1_000, description="Longest category kept, in characters.")
    ] = 300
    entries: Annotated[
        int, Field(gt=0, le=20_000, description="Most entries taken of one poll, the newest.")
    ] = 2_000
    html_depth: Annotated[
        int, Field(gt=0, le=1_000, description="Deepest HTML that is read paragraph by paragraph.")
    ] = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """How often feeds are polled."""

    min_seconds: Annotated[
        float, Field(gt=0, description="Shortest time between two polls of a feed, in seconds.")
    ] = 120.0
    max_seconds: Annotated[
        float,
        Field(gt=0, description="Longest time between two polls of a working feed, in seconds."),
    ] = 21_600.0
    default_seconds: Annotated[
        float,
        Field(gt=0, description="Time between polls while a feed's rhythm is unknown, in seconds."),
    ] = 900.0
    full_fetch_days: Annotated[
        float,
        Field(gt=0, description="Days after which a feed is fetched whole, whatever it claims."),
    ] = 7.0
    connections: Annotated[
        int, Field(gt=0, description="Polls under way at once, over all hosts.")
    ] = 64

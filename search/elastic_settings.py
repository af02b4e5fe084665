"""How to reach Elasticsearch, and what our indices are called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from ingest.loopback import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticSettings:
    """Where Elasticsearch is, who we are there, and how long we wait for it."""

    url: Annotated[
        str,
        Field(
            pattern=r"^https?://[^@/?#]+(/[^@?#]*)?$",
            description="Where Elasticsearch answers; the login is named apart from it.",
        ),
    ] = "http://127.0.0.1:9200"
    api_key_file: Annotated[
        str, Field(description="A file that holds an API key (its encoded form) and nothing else.")
    ] = ""
    user: Annotated[str, Field(description="The login's name, where there is no API key.")] = ""
    password_file: Annotated[
        str, Field(description="A file that holds the login's password and nothing else.")
    ] = ""
    ca_file: Annotated[
        str, Field(description="Certificates that the server's is signed by; empty: the system's.")
    ] = ""
    prefix: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9_.-]{0,99}$",
            description="What the names of our indices, aliases and templates begin with.",
        ),
    ] = "wirewatch"
    shards: Annotated[
        int, Field(ge=1, le=100, description="Shards of each month's index, from the next on.")
    ] = 1
    replicas: Annotated[
        str,
        Field(
            pattern=r"^(\d+-(\d+|all)|false)$",
            description="Copies of each shard, as far as there are nodes for them: from-to.",
        ),
    ] = "0-1"
    refresh_seconds: Annotated[
        float, Field(gt=0, description="After which what was written is found.")
    ] = 1.0
    answer_seconds: Annotated[
        float, Field(gt=0, description="Longest wait for an answer to a question.")
    ] = 5.0
    write_seconds: Annotated[
        float, Field(gt=0, description="Longest wait for a write to be acknowledged.")
    ] = 60.0


def plain_warning(settings: ElasticSettings) -> str:
    """What is unsafe about the way to the server, as a sentence for ``doctor``; mostly empty."""
    found = urlsplit(settings.url)
    if found.scheme == "https" or is_loopback(found.hostname or ""):
        return ""
    return (
        f"Articles and the login travel in clear to {found.hostname}: "
        "use https in [index] url, and ca_file."
    )

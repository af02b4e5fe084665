"""How to reach Kibana."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class KibanaSettings:
    """Where Kibana is, and who we are there; for ``wirewatch kibana install`` and ``setup``."""

    url: Annotated[
        str,
        Field(
            description="Kibana's address; a space is a path: https://host/s/news. Where it is "
            "empty, wirewatch setup installs no dashboards."
        ),
    ] = ""
    api_key_file: Annotated[
        str, Field(description="A file that holds an API key (encoded) and nothing else.")
    ] = ""
    user: Annotated[str, Field(description="The login's name, where no API key is used.")] = ""
    password_file: Annotated[
        str, Field(description="A file that holds the login's password and nothing else.")
    ] = ""
    ca_file: Annotated[
        str, Field(description="Certificates that Kibana's is signed by; empty: the system's.")
    ] = ""
    wait_seconds: Annotated[
        float, Field(ge=0, description="Longest wait for Kibana to be ready.")
    ] = 120.0

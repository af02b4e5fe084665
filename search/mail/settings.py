"""The section ``[mail]`` of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The server that takes our e-mail."""

    server: Annotated[
        str, Field(description="Host name of the mail server; empty sends no e-mail.")
    ] = ""
    port: Annotated[
        int, Field(ge=1, le=65535, description="Its port: 587 for starttls, 465 for tls.")
    ] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Field(description="none only for a server on this machine that [net] allow names."),
    ] = "starttls"
    user: Annotated[str, Field(description="User name; empty logs in nobody.")] = ""
    password_file: Annotated[
        str, Field(description="A file whose one line is the user's password.")
    ] = ""
    from_address: Annotated[
        str, Field(description="Who the e-mail is from, such as Wirewatch <alerts@example.org>.")
    ] = ""
    seconds: Annotated[
        float, Field(gt=0, description="Seconds that the server has to take one message.")
    ] = 30
    connections: Annotated[int, Field(gt=0, description="Connections to the server at a time.")] = 4

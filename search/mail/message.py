"""An alert as an e-mail: HTML and plain text, one-click unsubscribe, nothing loaded from afar."""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ingest.clean import one_line
from ingest.errors import UsageError
from search.telling import about, counted, digest_line, plain, subject, why

_pages = Environment(
    loader=PackageLoader("search.mail"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters |= {"one_line": one_line, "about": about, "why": why}
_pages.globals |= {"counted": counted}


def message(
    payload: dict[str, Any], *, alert_id: str, to: str, sender: str, unsubscribe: str, now: datetime
) -> EmailMessage:
    """The e-mail of ``payload``; a repeat of an alert is the same message, by its id.

    ``unsubscribe`` is the address that ends these messages; empty where there is none.

    Raises:
        UsageError: ``sender`` is no address.
    """
    found = EmailMessage(policy=SMTP)
    found["From"] = author = _author(sender)
    found["To"] = Address(addr_spec=to)
    # An encoded word of a stranger would be decoded and could end the line: none is one then.
    found["Subject"] = subject(payload).replace("=?", "= ?")
    found["Date"] = format_datetime(now)
    # Each recipient has a link of their own, so each gets a message of their own.
    name = f"{alert_id}.{hashlib.sha256(to.encode()).hexdigest()[:16]}"
    found["Message-ID"] = f"<{name}@{author.domain}>"
    found["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    if unsubscribe:
        found["List-Unsubscribe"] = f"<{unsubscribe}>"
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    text = plain(payload)
    if unsubscribe:
        text += f"\n\n-- \nStop these messages: {unsubscribe}"
    found.set_content(text + "\n")
    kind = "digest" if payload["type"] == "digest" else "article"
    page = _pages.get_template(f"{kind}.html")
    line = digest_line(payload["data"]) if kind == "digest" else ""
    html = page.render(
        payload["data"], heading=found["Subject"], line=line, unsubscribe=unsubscribe
    )
    found.add_alternative(html, subtype="html")
    return found


def _author(sender: str) -> Address:
    name, address = parseaddr(sender)
    try:
        return Address(name, addr_spec=address)
    except (ValueError, IndexError) as error:
        raise UsageError(
            f"[mail] from_address = {sender!r} is no e-mail address",
            hint='Write for example from_address = "Wirewatch <alerts@example.org>".',
            code="mail",
        ) from error

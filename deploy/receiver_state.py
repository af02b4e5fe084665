"""How receivers of alerts do, in a sentence for the doctor."""

from __future__ import annotations

from ingest.log import Log
from search.channel_health import all_endpoints
from search.mail.settings import MailSettings
from search.subscriptions import redacted

MAX_NAMED = 3


def receivers(log: Log, mail: MailSettings) -> tuple[str, str]:
    """The sentence, and what to do where receivers are given up or failing; empty where not."""
    found = all_endpoints(log)
    given_up = [redacted(one.target) for one in found if one.disabled]
    failing = [redacted(one.target) for one in found if one.failures and not one.disabled]
    way = f"E-mail goes through {mail.server}." if mail.server else "No mail server is set."
    shown = f"{len(found)} receivers, {len(given_up)} given up, {len(failing)} failing now. {way}"
    if not given_up and not failing:
        return shown, ""
    named = ", ".join((given_up + failing)[:MAX_NAMED])
    return shown, f"{named}: wirewatch alerts list --failed; then channels test or enable."

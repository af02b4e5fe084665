"""What people are told when a receiver is given up: an alert like any other.

Pure. It goes to the other targets of the subscription; where there is none it is listed as failed.
"""

from __future__ import annotations

from datetime import datetime

from search.alert_state import Alert, Attempt, Endpoint, notice_id
from search.payload import payload_of_words
from search.subscriptions import CHANNEL, redacted


def notice(alert: Alert, endpoint: Endpoint, *, now: datetime) -> Alert:
    """The notice that ``endpoint`` was given up while ``alert`` was delivered there."""
    made_id = notice_id(alert.alert_id, endpoint)
    shown = redacted(endpoint.target)
    enable = f"wirewatch channels enable {shown}"
    test = f"wirewatch subscriptions test {alert.subscription_name}"
    again = enable if endpoint.target.startswith(CHANNEL) else test
    title = f"Nothing is sent to {shown} any more"
    excerpt = f"{endpoint.disabled} Once it works: {again}, then alerts retry ID for what failed."
    others = (*alert.pending, *alert.acknowledged)
    pending = tuple(one for one in dict.fromkeys(others) if one != endpoint.target)
    told = {"id": alert.subscription, "name": alert.subscription_name, "query": ""}
    return Alert(
        alert_id=made_id,
        owner=alert.owner,
        subscription=alert.subscription,
        subscription_name=alert.subscription_name,
        article_id="",
        story_id="",
        title=title,
        created=now,
        state="waiting" if pending else "failed",
        attempts=() if pending else (Attempt(at=now, to=shown, error=excerpt),),
        pending=pending,
        payload=payload_of_words(
            told, alert_id=made_id, now=now, title=title, text=excerpt, flag="notice"
        ),
    )

"""A test alert, to every target of a subscription or to a named channel."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.errors import NotFoundError
from ingest.log import Log
from ingest.wire import decode
from search.alert_state import Alert, Attempt
from search.channels import Delivery
from search.deliveries import Outcome
from search.payload import payload_of_test
from search.receivers import Receivers
from search.subscriptions import Subscription

TITLE = "Test alert"


async def tried(
    log: Log, receivers: Receivers, subscription_id: str, *, now: datetime
) -> list[tuple[str, Outcome]]:
    """What came of a test alert, by target. Raises NotFoundError."""
    record = await asyncio.to_thread(log.table("subscriptions").get, subscription_id)
    if record is None:
        raise NotFoundError(
            f"there is no subscription {subscription_id}",
            hint="See: wirewatch subscriptions list",
        )
    subscription = decode(Subscription, record.value or b"")
    made_id = f"test-{secrets.token_urlsafe(12)}"
    body = payload_of_test(subscription, alert_id=made_id, now=now)
    outcomes = await asyncio.gather(
        *(
            receivers.deliver(
                Delivery(alert_id=made_id, subscription=subscription.id, target=one, payload=body)
            )
            for one in subscription.to
        )
    )
    return list(zip(subscription.to, outcomes, strict=True))


def tested(
    subscription: Subscription, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> Alert:
    """What came of a test alert, as a row of the list of alerts."""
    attempts = tuple(
        Attempt(at=now, to=row["to"], status=row["status"], error=row["error"]) for row in rows
    )
    reached = tuple(
        target for target, row in zip(subscription.to, rows, strict=True) if not row["error"]
    )
    return Alert(
        alert_id=f"test-{secrets.token_urlsafe(12)}",
        owner=subscription.owner,
        subscription=subscription.id,
        subscription_name=subscription.name,
        article_id="",
        story_id="",
        title=TITLE,
        created=now,
        state="failed" if any(one.error for one in attempts) else "sent",
        attempts=attempts,
        pending=tuple(one for one in subscription.to if one not in reached),
        acknowledged=reached,
    )


async def tried_channel(receivers: Receivers, listed: str, *, name: str, now: datetime) -> Outcome:
    """What came of a test alert to a channel, ``listed`` as it stands in targets."""
    made_id = f"test-{secrets.token_urlsafe(12)}"
    stand_in = Subscription(id="", name=name, query="", to=(listed,), created=now)
    body = payload_of_test(stand_in, alert_id=made_id, now=now, of="channel")
    delivery = Delivery(alert_id=made_id, subscription="", target=listed, payload=body)
    return await receivers.deliver(delivery)

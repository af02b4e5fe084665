"""A test alert, to every target of a subscription or to a named channel."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime

from ingest.errors import NotFoundError
from ingest.log import Log
from ingest.wire import decode
from search.channels import Delivery
from search.deliveries import Outcome
from search.payload import payload_of_test
from search.receivers import Receivers
from search.subscriptions import Subscription


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


async def tried_channel(receivers: Receivers, listed: str, *, name: str, now: datetime) -> Outcome:
    """What came of a test alert to a channel, ``listed`` as it stands in targets."""
    made_id = f"test-{secrets.token_urlsafe(12)}"
    stand_in = Subscription(id="", name=name, query="", to=(listed,), created=now)
    body = payload_of_test(stand_in, alert_id=made_id, now=now)
    delivery = Delivery(alert_id=made_id, subscription="", target=listed, payload=body)
    return await receivers.deliver(delivery)

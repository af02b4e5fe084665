"""History for one subscription: what matched before it counted, or while it was paused."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.errors import UsageError
from search.subscriptions import Subscription

MARGIN = timedelta(days=2)
"""Claims are renewed once a day, and a backfill takes a while: so much less than they are kept."""


def check_begin(
    subscription: Subscription, since: datetime, *, now: datetime, claim_days: float
) -> None:
    """Refuse a backfill that could send again what was sent, or that begins nowhere.

    Raises:
        UsageError: it is paused, begins in the future, or nobody knows any more what was sent
            so long ago.
    """
    if subscription.paused:
        raise UsageError(
            f"{subscription.name} is paused",
            hint="End the pause first: wirewatch subscriptions resume NAME",
        )
    if since >= now:
        raise UsageError("a backfill begins in the past", hint="Give --since 24h, say.")
    known_from = now - max(timedelta(days=claim_days) - MARGIN, timedelta(0))
    if since < known_from and subscription.created < known_from:
        raise UsageError(
            f"what was sent before {known_from:%Y-%m-%d %H:%M} UTC is not known any more",
            hint="Begin later, or add another subscription: a new one may go back further.",
            code="backfill-too-far",
        )

"""One line of the log about each poll."""

from __future__ import annotations

import structlog

from ingest.feeds import Feed
from ingest.poll import Polled

_events = structlog.get_logger(__name__)


def report(feed: Feed, polled: Polled) -> None:
    """Say what a poll of ``feed`` gave, or why it gave nothing."""
    state = polled.state
    due = state.next_poll
    if polled.failed:
        _events.warning(
            "feed refused", feed=feed.id, url=feed.url, reason=state.sentence, next_try=due
        )
        return
    _events.info(
        "feed polled",
        feed=feed.id,
        url=feed.url,
        entries=polled.entries,
        new=polled.sightings,
        limited=polled.limited,
        next_poll=due,
    )

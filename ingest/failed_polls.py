"""Polls that ended otherwise than a feed can make them end: what becomes of the feed."""

from __future__ import annotations

import dataclasses

import structlog

from ingest import outcomes
from ingest.errors import FeedError, WirewatchError
from ingest.feeds import Feed, FeedState
from ingest.poll import Polled, Polling

_events = structlog.get_logger()


def put_off(polling: Polling, state: FeedState, error: WirewatchError) -> Polled:
    """The feed after a poll that our own stores refused: it is tried again later."""
    after = outcomes.failed(
        state,
        at=polling.clock(),
        sentence=error.sentence,
        settings=polling.settings,
        chance=polling.chance(),
    )
    return Polled(state=after, failed=True)


def broken(polling: Polling, feed: Feed, state: FeedState, error: Exception) -> Polled:
    """The feed after a fault of our own: it backs off and is listed, the others go on."""
    known = error if isinstance(error, WirewatchError) else None
    problem = known or FeedError(
        f"{type(error).__name__}: {error}",
        sentence="Polling this feed failed inside Wirewatch.",
        code="internal",
    )
    _events.error("poll broke", feed=feed.id, url=feed.url, exc_info=error)
    why, body = f"{problem.sentence} ({problem})", str(error).encode(errors="replace")
    record = polling.quarantine.put(
        "poll", why=why, code=problem.code, key=feed.id, body=body, now=polling.clock()
    )
    records = (record,) if record else ()
    return dataclasses.replace(put_off(polling, state, problem), records=records)

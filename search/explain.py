"""Why an article does or does not alert a subscription, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.errors import NotFoundError, QueryError
from ingest.log import Log, Record
from ingest.wire import decode
from processors.document import Document, document
from processors.query import parse
from processors.query_tree import And, AtLeast, Node, Not, Or, Query
from processors.records import StoryLink, StoryRecord
from processors.reference import holds, matches
from search.alert_state import ALERT, SINCE, TOPIC, Alert, Since, alert_id
from search.claims import silence
from search.subscriptions import Subscription

MAX_MERGES = 100
"""Of one story into the next, looked at."""

_HELD = {
    "digest": "for the next digest",
    "quiet": "quiet hours",
    "throttle": "the subscription's throttle",
    "storm": "too many at once",
}


def explain_match(log: Log, subscription: Subscription, article_id: str) -> dict[str, Any]:
    """``sentence``, and ``reasons``: the query clause by clause, then what else counts.

    Raises:
        NotFoundError: no article has this id.
    """
    record = log.table("stories").get(article_id)
    if record is None or record.value is None:
        raise NotFoundError(
            f"there is no article {article_id}", hint="Take the id from: wirewatch search"
        )
    story = decode(StoryRecord, record.value)
    try:
        query = parse(subscription.query, where="subscription")
    except QueryError as error:
        return {"sentence": "No alert: the query cannot be read.", "reasons": [error.sentence]}
    seen = document(story.article, story.topics)
    clauses = list(_clauses(query, query.root, seen, 0))
    alert = _alert(log, subscription, story)
    if alert is not None:
        return {"sentence": _told(alert, story), "reasons": clauses}
    against = list(_against(log, subscription, record, story))
    if not matches(query, seen):
        against.insert(0, "the query does not match its present text")
    if not against:
        against = ["it matches now; when it was first seen, its text or topics did not"]
    return {"sentence": f"No alert: {against[0]}.", "reasons": [*clauses, *against[1:]]}


def _told(alert: Alert, story: StoryRecord) -> str:
    if alert.article_id == story.article.id:
        return f"Alert {alert.alert_id} was made for it; {_how(alert)}."
    return (
        f"No alert of its own: its story was alerted with article {alert.article_id} "
        f"(alert {alert.alert_id}, {_how(alert)})."
    )


def _how(alert: Alert) -> str:
    until = f"{alert.next_attempt:%Y-%m-%d %H:%M} UTC" if alert.next_attempt else ""
    if alert.state == "held":
        return f"it is held until {until} ({_HELD.get(alert.held_for, 'not now')})"
    if alert.state == "waiting" and alert.tries:
        return f"it waits for another attempt at {until}"
    if alert.state == "sent" and alert.digest:
        return f"it was sent with digest {alert.digest}"
    return f"it is {alert.state}"


def _alert(log: Log, subscription: Subscription, story: StoryRecord) -> Alert | None:
    """The alert for the article, or for its story, by the ids that it would have."""
    links = log.table("story-links")
    stories = [story.story_id]
    while (found := links.get(stories[-1])) is not None and found.value is not None:
        stories.append(decode(StoryLink, found.value).survivor)
        if len(stories) > MAX_MERGES:
            break
    ids = [
        alert_id(subscription.id, one, article)
        for article in (story.article.id, "")
        for one in dict.fromkeys([*reversed(stories), *story.absorbed])
    ]
    records = log.table(TOPIC).many([ALERT + one for one in ids])
    alerts = [
        decode(Alert, records[ALERT + one].value or b"") for one in ids if ALERT + one in records
    ]
    # Its own first: once it was every article, and is now once a story, or the other way round.
    alerts.sort(key=lambda one: one.article_id != story.article.id)
    return next(
        (
            one
            for one in alerts
            if not subscription.every_article or one.article_id == story.article.id
        ),
        None,
    )


def _against(
    log: Log, subscription: Subscription, record: Record, story: StoryRecord
) -> Iterator[str]:
    if subscription.paused:
        yield "the subscription is paused"
    stored = log.table(TOPIC).get(SINCE + subscription.id)
    since = decode(Since, stored.value) if stored and stored.value else None
    if since is None or since.query_version != subscription.query_version:
        yield "the subscription is not active yet; the alert stage has not taken it up"
    elif record.offset < since.offset.get(record.partition.number, 0):
        yield f"it is older than the subscription, which counts from {since.active:%Y-%m-%d %H:%M}"
    if reason := silence(story):
        yield reason


def _clauses(query: Query, node: Node, seen: Document, depth: int) -> Iterator[str]:
    """Each clause with whether it holds, those of AND, OR, NOT and ATLEAST one step further in."""
    found = "yes" if holds(node, seen) else "no"
    yield f"{'  ' * depth}{found}: {query.clause(node)}"
    if isinstance(node, And | Or | AtLeast):
        for one in node.of:
            yield from _clauses(query, one, seen, depth + 1)
    elif isinstance(node, Not):
        yield from _clauses(query, node.of, seen, depth + 1)

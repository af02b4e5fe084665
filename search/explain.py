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
from processors.records import StoryRecord
from processors.reference import holds, matches
from search.alert_state import ALERT, SINCE, TOPIC, Alert, Since
from search.claims import silence
from search.subscriptions import Subscription


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
        return f"Alert {alert.alert_id} was made for it; it is {alert.state}."
    return (
        f"No alert of its own: its story was alerted with article {alert.article_id} "
        f"(alert {alert.alert_id}, {alert.state})."
    )


def _alert(log: Log, subscription: Subscription, story: StoryRecord) -> Alert | None:
    stories = {story.story_id, *story.absorbed}
    for record in log.table(TOPIC).items(ALERT):
        alert = decode(Alert, record.value or b"")
        if alert.subscription != subscription.id:
            continue
        same_story = not subscription.every_article and alert.story_id in stories
        if alert.article_id == story.article.id or same_story:
            return alert
    return None


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

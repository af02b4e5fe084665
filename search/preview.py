"""What a subscription would have sent, had it been there: from the index, without alerting."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from processors.query import parse
from processors.query_advice import check_topics
from search import views
from search.index import Index, Relation, SearchRequest, Volume

EXAMPLES = 5


def preview(
    index: Index,
    query: str,
    *,
    days: int,
    now: datetime,
    topics: Collection[str] | None = None,
    every_article: bool = False,
) -> dict[str, Any]:
    """The alerts of the last ``days``, today included, one a story: in all, by day, in a sentence.

    Days are those of UTC. Where the index holds more than it looks through, ``relation`` is
    ``gte`` and the sentence says "at least".

    Raises:
        QueryError: the query cannot be subscribed to, or is above the work limits.
    """
    found = parse(query, where="subscription")
    if topics is not None:
        check_topics(found, topics)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days - 1)
    volume = index.volume(found, since=since, until=today + timedelta(days=1))
    rows = _rows(volume, since, days, every_article=every_article)
    busiest = max(rows, key=lambda row: row["alerts"])  # the first of equal ones
    total = sum(row["alerts"] for row in rows)
    newest = SearchRequest(query=found, since=since, size=EXAMPLES, group=not every_article)
    return {
        "would_have_sent": total,
        "relation": volume.relation,
        "days": rows,
        "busiest": {"day": busiest["day"], "alerts": busiest["alerts"]},
        "sentence": _sentence(total, volume.relation, days=days, busiest=busiest["alerts"]),
        "examples": [views.hit(one) for one in index.search(newest).hits] if total else [],
    }


def _rows(
    volume: Volume, since: datetime, days: int, *, every_article: bool
) -> list[dict[str, Any]]:
    alerts = volume.articles if every_article else volume.stories
    return [
        {
            "day": day.isoformat(),
            "matches": volume.articles.get(day, 0),
            "alerts": alerts.get(day, 0),
        }
        for day in ((since + timedelta(days=number)).date() for number in range(days))
    ]


def _sentence(total: int, relation: Relation, *, days: int, busiest: int) -> str:
    span = "1 day" if days == 1 else f"{days} days"
    if not total:
        return f"would have sent no alert in {span}"
    count = f"{'at least ' if relation == 'gte' else ''}{total:,} alert{'s' if total > 1 else ''}"
    return f"would have sent {count} in {span}; busiest day {busiest:,}"

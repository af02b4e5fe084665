"""How much a query finds, day by day: articles, and stories that begin to be found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar

from processors.query_tree import Query
from search.answer import Answer
from search.engine import Engine, Row, TooManyWordsError
from search.index import SearchRequest, Volume
from search.milliseconds import DAY_MS, moment_at

MAX_STORIES = 10_000
"""Looked at: more buckets of an aggregation cost more than anybody waits."""

Q = TypeVar("Q")
R = TypeVar("R", bound=Row)


def volume_of(engine: Engine[Q, R], query: Query, *, since: datetime, until: datetime) -> Volume:
    """What ``query`` found from ``since`` on and before ``until``.

    Raises:
        QueryError: above the work limits.
    """
    request = SearchRequest(query=query, since=since, until=until)
    try:
        return _volume(engine, Answer(engine, request))
    except TooManyWordsError:
        return _volume(engine, Answer(engine, request, cautious=True))


def _volume(engine: Engine[Q, R], answer: Answer[Q, R]) -> Volume:
    return _counted(engine, answer) if answer.exact else _verified(answer)


def _counted(engine: Engine[Q, R], answer: Answer[Q, R]) -> Volume:
    first = {"first": {"min": {"field": "seen"}}}
    asked: dict[str, Any] = {
        "days": {"histogram": {"field": "seen", "interval": DAY_MS, "min_doc_count": 1}},
        "story": {"terms": {"field": engine.story_field, "size": MAX_STORIES}, "aggs": first},
    }
    found = engine.aggregate(answer.scope, asked)
    stories = found["story"]["buckets"]
    return Volume(
        articles={_day(one["key"]): one["doc_count"] for one in found["days"]["buckets"]},
        stories=_days(one["first"]["value"] for one in stories),
        relation="gte" if found["story"].get("sum_other_doc_count") else "eq",
    )


def _verified(answer: Answer[Q, R]) -> Volume:
    firsts = {row.story: row.ms for row in answer.verified}  # newest first: the oldest stays
    return Volume(
        articles=_days(row.ms for row in answer.verified),
        stories=_days(firsts.values()),
        relation="eq" if answer.is_total_exact else "gte",
    )


def _days(moments: Iterable[float]) -> dict[date, int]:
    return dict(sorted(Counter(map(_day, moments)).items()))


def _day(ms: float) -> date:
    return moment_at(int(ms)).date()

"""``/topics`` and ``/topics/{id}``: how much there is of each, and why articles were tagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ingest.errors import NotFoundError
from processors.query import parse
from processors.records import StoryRecord
from processors.topic import Topic
from search.charts import Chart, chart
from search.index import Hit, SearchRequest, SearchResult
from search.pages.bars import bar_links
from search.pages.frame import Frame
from search.pages.pieces import TITLE_CHARS, Pieces, language_of, pieces
from search.pages.searching import Asked, by_moment, total_of
from search.pages.times import Moment, Times
from search.services import Services

PAGE_SIZE = 20
DAYS = 30
EVIDENCE, EVIDENCE_CHARS = 5, 120
DESCRIPTION_CHARS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A topic in the list."""

    id: str
    label: str
    description: str
    langs: str
    week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """An article of the topic, and the words that earned it."""

    id: str
    title: Pieces
    lang: str
    source: str
    seen: Moment | None
    score: str
    words: tuple[str, ...]


def topic_pages(services: Services, frame: Frame) -> APIRouter:
    """The list of topics and the page of each."""
    router = APIRouter(prefix="/topics")

    @router.get("", response_class=HTMLResponse)
    def topics(request: Request) -> HTMLResponse:
        """The topics in force, with their articles of the last week."""
        now = datetime.now(UTC)
        asked = SearchRequest(query=parse("seen:7d", now=now), size=1, facets=("topic",))
        counted = (services.index().search(asked).facets or {})["topic"]
        counts = {one["value"]: one["count"] for one in counted}
        return frame.page(request, "topics.html", rows=rows_of(services.topics, counts))

    @router.get("/{topic_id}", response_class=HTMLResponse)
    def topic(request: Request, topic_id: str, after: str = "") -> HTMLResponse:
        """One topic: volume over time, newest, why each was tagged."""
        found = [one for one in services.topics if one.id == topic_id]
        if not found:
            raise NotFoundError(f"there is no topic {topic_id}", hint="See the list of topics.")
        times, now = frame.times(request), datetime.now(UTC)
        query = f"topic:{topic_id}"
        begin = now - timedelta(days=DAYS)
        index = services.index()
        result = index.search(
            SearchRequest(query=parse(query, now=now), size=PAGE_SIZE, after=after)
        )
        recent = index.search(
            SearchRequest(query=parse(query, now=now), size=1, since=begin, interval="1h")
        )
        drawn = volume(recent, begin, now)
        return frame.page(
            request,
            "topic.html",
            topic=rows_of(found, {})[0],
            total=total_of(result),
            query=query,
            chart=drawn,
            bars=bar_links(drawn, Asked(q=query), times) if drawn else (),
            days=DAYS,
            rows=[tagged(one, index.get(one.article.id), topic_id, times) for one in result.hits],
            next_page=f"/topics/{topic_id}?after={result.after}" if result.after else "",
        )

    return router


def volume(result: SearchResult, begin: datetime, now: datetime) -> Chart | None:
    """The bars of the last days, half a day each."""
    counts = by_moment(result.histogram or ())
    return chart(counts, start=begin, end=now, step=timedelta(hours=12))


def rows_of(topics: Sequence[Topic], counts: dict[str, int]) -> list[Row]:
    """A row a topic, its definitions of several languages joined."""
    by_id: dict[str, list[Topic]] = {}
    for one in topics:
        by_id.setdefault(one.id, []).append(one)
    return [
        Row(
            id=name,
            label=found[0].label or name,
            description=found[0].description[:DESCRIPTION_CHARS],
            langs=", ".join(one.lang for one in found),
            week=counts.get(name, 0),
        )
        for name, found in by_id.items()
    ]


def tagged(hit: Hit, record: StoryRecord | None, topic_id: str, times: Times) -> Tagged:
    """``hit`` with the evidence that its record holds for the topic."""
    tags = [one for one in (record.topics if record else ()) if one.topic == topic_id]
    evidence = sorted((one for tag in tags for one in tag.evidence), key=lambda one: -one.points)
    words = dict.fromkeys(one.text[:EVIDENCE_CHARS] for one in evidence if one.text)
    spans = [span for one in evidence if one.zone == "title" for span in one.spans]
    return Tagged(
        id=hit.article.id,
        title=pieces(hit.article.title or "(no title)", spans, most=TITLE_CHARS),
        lang=language_of(hit.article.language),
        source=hit.article.source,
        seen=times.moment(hit.article.seen),
        score=f"{tags[0].score:.0%}" if tags else "",
        words=tuple(words)[:EVIDENCE],
    )

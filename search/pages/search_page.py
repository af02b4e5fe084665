"""``/``: search, with a histogram over time, facets and highlighted hits by story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from ingest.errors import UsageError
from processors.moments import moment
from processors.query import cost_class, explain, parse, warnings
from processors.query_tree import Query
from search.caller import WhoAsks
from search.charts import Chart, chart
from search.index import Count, Hit, SearchRequest, SearchResult
from search.marks import Mark
from search.pages.bars import BarLink, bar_links
from search.pages.faults import Fault, fault_of
from search.pages.filters import has_filter, toggled
from search.pages.frame import Frame, go_to
from search.pages.pieces import TITLE_CHARS, Pieces, language_of, link_of, pieces
from search.pages.searching import Asked, by_moment, interval_of, total_of
from search.pages.times import Moment, Times
from search.services import Services

PAGE_SIZE = 20
FACET_VALUES = 10
FACETS = (("topic", "Topic"), ("source", "Source"), ("lang", "Language"))
SNIPPETS = 2
SNIPPET_CHARS = 200
MOST_TOPICS, MOST_WARNINGS = 5, 10
FEW_HOURS = timedelta(hours=2)
NEWEST = "seen:7d"
"""What is shown before anybody has asked for anything."""

EXAMPLES = (
    ("truce NEAR/5 talks", "two words at most five words apart, in any order"),
    ('"arms transfers" OR "weapons deliver*"', "phrases; * stands for any ending"),
    ("topic:ceasefire-talks -source:example.com", "a topic, but not from one source"),
    ("title:(ceasefire OR truce) lang:en", "only in the title, only in English"),
    ("ATLEAST/2(drone missile shell mortar)", "at least two different words of a list"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A hit as the list shows it."""

    id: str
    title: Pieces
    snippets: tuple[Pieces, ...]
    lang: str
    source: str
    url: str
    seen: Moment | None
    topics: tuple[tuple[str, str], ...]
    story_id: str
    more: int
    starred: bool
    read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A facet's value: a link that adds it to the query, or takes it away."""

    label: str
    clause: str
    count: int
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One facet with its most frequent values."""

    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that the answer to a search shows."""

    rows: tuple[Row, ...]
    total: str
    took: str
    facets: tuple[Facet, ...]
    chart: Chart | None
    bars: tuple[BarLink, ...]
    ends: tuple[str, str]
    after: str
    next_page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """How a query was read."""

    lines: tuple[str, ...]
    cost: str
    warnings: tuple[str, ...]


def search_page(services: Services, frame: Frame) -> APIRouter:
    """The page of the search."""
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    def search(
        request: Request,
        who: WhoAsks,
        q: str = "",
        since: str = "",
        until: str = "",
        sort: Literal["relevance", "newest", "oldest"] = "newest",
        after: str = "",
        toggle: str = "",
    ) -> Response:
        """Search, or what is new and examples where nothing was asked for.

        ``toggle``, a facet's clause, is added to the query or taken away.
        """
        asked = Asked(q=q.strip(), since=since.strip(), until=until.strip(), sort=sort)
        if toggle:
            name, _, value = toggle.partition(":")
            return go_to(asked.link(q=toggled(asked.q, name, value)))
        labels = {one.id: one.label for one in services.topics}
        page = _Search(services, asked, owner=who.owner, times=frame.times(request), labels=labels)
        found, understood, faults = page.answer(after)
        return frame.page(
            request,
            "search.html",
            status=400 if faults else 200,
            asked=asked,
            after=after,
            found=found,
            understood=understood,
            faults=faults,
            examples=EXAMPLES,
        )

    return router


class _Search:
    def __init__(
        self,
        services: Services,
        asked: Asked,
        *,
        owner: str,
        times: Times,
        labels: Mapping[str, str],
    ) -> None:
        self._owner = owner
        self._services = services
        self._asked = asked
        self._times = times
        self._labels = labels
        self._now = datetime.now(UTC)

    def answer(self, after: str) -> tuple[Found | None, Understood | None, dict[str, Fault]]:
        """What was found, how the query was read, and what is wrong, by field."""
        asked, field = self._asked, "q"
        try:
            query = parse(asked.q or NEWEST, where="search", now=self._now)
            field = "since"
            since = self._bound(asked.since)
            field = "until"
            until = self._bound(asked.until)
            field = "q"
            found = self._found(query, since, until, after)
        except UsageError as error:
            return None, None, {field: fault_of(error, asked.q)}
        return found, self._understood(query) if asked.q else None, {}

    def _bound(self, text: str) -> datetime | None:
        return moment(text, now=self._now) if text else None

    def _understood(self, query: Query) -> Understood:
        told = warnings(query, topics={one.id for one in self._services.topics})
        return Understood(
            lines=tuple(explain(query)),
            cost=cost_class(query),
            warnings=tuple(told[:MOST_WARNINGS]),
        )

    def _found(
        self, query: Query, since: datetime | None, until: datetime | None, after: str
    ) -> Found:
        request = SearchRequest(
            query=query,
            sort=self._asked.sort,
            size=PAGE_SIZE,
            after=after,
            group=True,
            since=since,
            until=until,
            facets=tuple(name for name, _ in FACETS),
            interval=interval_of(since, until or self._now),
        )
        result = self._services.index().search(request)
        drawn = self._drawn(request, result, until)
        marks = self._services.marks.of(self._owner, [one.article.id for one in result.hits])
        return Found(
            rows=tuple(self._row(one, marks.get(one.article.id)) for one in result.hits),
            total=total_of(result),
            took=f"{result.took_ms:.0f} ms",
            facets=tuple(self._facets(result.facets or {})),
            chart=drawn,
            bars=bar_links(drawn, self._asked, self._times) if drawn else (),
            ends=self._ends(drawn) if drawn else ("", ""),
            after=result.after,
            next_page=self._asked.link(after=result.after)
            if result.after and self._asked.is_short
            else "",
        )

    def _drawn(
        self, request: SearchRequest, result: SearchResult, until: datetime | None
    ) -> Chart | None:
        """The histogram; where all of it fell into a few hours, by the minute."""
        counts = by_moment(result.histogram or ())
        if request.since is None and counts and max(counts) - min(counts) <= FEW_HOURS:
            finer = replace(request, size=1, after="", facets=(), interval="1m", since=min(counts))
            counts = by_moment(self._services.index().search(finer).histogram or ())
        end = until or (self._now if request.since else None)
        return chart(counts, start=request.since, end=end)

    def _row(self, hit: Hit, mark: Mark | None) -> Row:
        article, shown = hit.article, hit.highlights
        spans = shown.title[0].spans if shown.title else ()
        return Row(
            id=article.id,
            title=pieces(article.title or "(no title)", spans, most=TITLE_CHARS),
            snippets=tuple(
                pieces(one.text, one.spans, most=SNIPPET_CHARS) for one in shown.text[:SNIPPETS]
            ),
            lang=language_of(article.language or article.language_declared),
            source=article.source,
            url=link_of(article.url),
            seen=self._times.moment(article.seen),
            topics=tuple((one, self._labels.get(one, one)) for one in hit.topics[:MOST_TOPICS]),
            story_id=hit.story_id,
            more=hit.copies,
            starred=mark is not None and mark.starred,
            read=mark is not None and mark.read,
        )

    def _facets(self, found: Mapping[str, Sequence[Count]]) -> Iterator[Facet]:
        for name, label in FACETS:
            choices = tuple(self._choice(name, one) for one in found[name][:FACET_VALUES])
            if choices:
                yield Facet(label=label, choices=choices)

    def _choice(self, name: str, one: Count) -> Choice:
        asked, value = self._asked, one["value"]
        return Choice(
            label=self._labels.get(value, value) if name == "topic" else value,
            clause=f"{name}:{value}",
            count=one["count"],
            href=asked.link(q=toggled(asked.q, name, value)) if asked.is_short else "",
            chosen=bool(asked.q) and has_filter(asked.q, name, value),
        )

    def _ends(self, drawn: Chart) -> tuple[str, str]:
        first, last = (self._times.moment(one) for one in drawn.ends)
        return (first.text if first else "", last.text if last else "")

"""A Wirewatch as people find it in a browser: news, subscriptions, alerts, live feeds."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.folder import DataFolder
from deploy.topic_files import definitions
from ingest.feed_store import FeedStore
from ingest.guard import Guard
from ingest.log import NewRecord, topic_specs
from ingest.settings import NetSettings
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.pipeline import tag
from processors.topics import TopicEngine
from search.secrets import Secrets
from search.subscription_store import SubscriptionStore
from tests.alerting import Clock
from tests.browser.fiction import Piece, ten_days
from tests.browser.newsstand import Newsstand, newsstand
from tests.newsserver import item, rss
from tests.running import Place, Running

WAIT_SECONDS = 60.0
"""For what takes a second, on a machine that is busy with something else."""

EVERYTHING = "NOT zyzzyva"
LIVE, HOME = "/wire.xml", "/"
GOOD, BAD = "/hook", "/broken"
FERRY = "Ferries stop at Port Ellin"
SETTINGS: dict[str, object] = {
    "net.allow": "127.0.0.1:*",
    "poll.min_seconds": 0.5,
    "poll.default_seconds": 0.5,
    "poll.max_seconds": 2,
    "fetch.host_gap_seconds": 0,
    "stories.window_hours": 6,  # our events are alike, and hours apart
}


async def until(happened: Callable[[], Any]) -> Any:
    """What ``happened``, awaited where it must be, gives once it is true. Raises TimeoutError."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = happened()
            if found := await found if inspect.isawaitable(found) else found:
                return found
            await asyncio.sleep(0.05)


@dataclass(kw_only=True)
class Site:
    """A running Wirewatch and the small web around it."""

    url: str
    place: Place
    stand: Newsstand
    running: Running
    wire: list[str]

    def publish(self, guid: str, title: str, text: str, **more: Any) -> None:
        """Add an article to the live feed; it is polled within a second or two."""
        at = more.pop("published", datetime.now(UTC))
        link = more.pop("link", f"https://wire.example/{guid}")
        self.wire.insert(0, item(guid, title, link=link, text=text, published=at, **more))
        self.stand.feed(LIVE, rss(*self.wire, title="The Live Wire", home="https://wire.example/"))

    async def rows(self, path: str, name: str, **params: str) -> list[dict[str, Any]]:
        """A list of the API."""
        answer = await self.running.ask(path, **params)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()[name]
        return found

    async def alerts(self, state: str = "") -> list[dict[str, Any]]:
        """What was sent, newest first."""
        return await self.rows("/api/alerts", "alerts", state=state)

    async def first_hit(self, query: str, **params: str) -> dict[str, Any]:
        """The newest article that a search finds, once it finds one."""
        hits = await until(lambda: self.rows("/api/search", "hits", q=query, **params))
        found: dict[str, Any] = hits[0]
        return found


@asynccontextmanager
async def news_site(
    folder: Path,
    *,
    news: Sequence[Piece] | None = None,
    settings: dict[str, object] | None = None,
    before: Callable[[SubscriptionStore, FeedStore, Newsstand], None] | None = None,
) -> AsyncIterator[Site]:
    """A Wirewatch over ``news``; ``before`` fills its lists before the start."""
    with newsstand() as stand:
        place = Place(folder=folder, settings=SETTINGS | (settings or {}))
        pieces = ten_days(datetime.now(UTC)) if news is None else news
        _write(place, stand, pieces, before=before)
        running = Running(place, "run", "--port", "0")
        try:
            await running.ready()
            site = Site(
                url=await until(lambda: address_of(running)),
                place=place,
                stand=stand,
                running=running,
                wire=[],
            )
            if pieces:
                await _indexed(site, len({one.url for one in pieces}))
            yield site
        finally:
            status = await running.terminate()
        assert status == 0, running.said()


def _write(
    place: Place,
    stand: Newsstand,
    pieces: Sequence[Piece],
    *,
    before: Callable[[SubscriptionStore, FeedStore, Newsstand], None] | None,
) -> None:
    """Put the news of the past into the log, each at its time, as a poller would have done."""
    data = DataFolder(place.data)
    topics = [one.topic for one in definitions(_topics_folder(place))]
    engine = TopicEngine(topics)
    clock = Clock(min((one.at for one in pieces), default=datetime.now(UTC) - timedelta(days=1)))
    log = SqliteLog(data.log, clock=clock)
    try:
        log.ensure_topics(topic_specs())
        for one in pieces:
            clock.now = one.at
            # What is seen when is decided by the log's time of ``tagged``: no tagger, then.
            made = tag(one.sighting(), engine=engine)
            log.append([NewRecord(topic="tagged", key=made.article.id, value=encode(made))])
        clock.now = datetime.now(UTC)
        store = SubscriptionStore(
            log,
            secrets=Secrets(data.secrets),
            guard=Guard(NetSettings(allow=(f"{stand.host.split(':', maxsplit=1)[0]}:*",))),
            topics={one.id for one in topics},
        )
        if before is not None:
            before(store, FeedStore(log), stand)
    finally:
        log.close()


def _topics_folder(place: Place) -> Path | None:
    folder = place.settings.get("topics.folder")
    return Path(str(folder)) if folder else None


def address_of(running: Running) -> str:
    """Where its pages are, as its log says; empty before it does."""
    found = re.search(r"api=\"?(http://[\d.:]+)", running.said())
    return found.group(1) if found else ""


async def _indexed(site: Site, wanted: int) -> None:
    async def done() -> bool:
        return await site.running.found(EVERYTHING) >= wanted

    await until(done)


def usual_lists(store: SubscriptionStore, feeds: FeedStore, stand: Newsstand) -> None:
    """Subscriptions with a good and a broken receiver; feeds that work, fail and are none."""
    stand.statuses[BAD] = 410
    stand.feed(LIVE, rss(title="The Live Wire", home="https://wire.example/"))
    stand.homepage("/about", "<title>About us</title><p>We write news.")
    stand.feed("/quiet.xml", rss(title="Quiet Quarterly", home="https://quiet.example/"))
    stand.feed("/found.xml", rss(item("f1", "Found by its homepage"), title="Found Daily"))
    link = "<link rel=alternate type=application/rss+xml title='Found Daily' href=/found.xml>"
    stand.homepage(HOME, f"<!doctype html><title>Found Daily</title>{link}<p>Hello.")
    for path in (LIVE, "/quiet.xml", "/about", "/missing.xml"):
        feeds.add(stand.url(path))
    store.add(name="truce", query="topic:ceasefire-talks", to=[stand.url(GOOD)])
    store.add(name="ferries at Port Ellin", query='ferr* AND "Port Ellin"', to=[stand.url(BAD)])
    store.add(name="everything about arms", query="topic:arms-transfers", to=["stdout:"])


async def with_alerts(site: Site) -> None:
    """Publish what two subscriptions wait for: one alert is delivered, one is refused."""
    site.publish(
        "live-truce",
        "Truce talks resume in Tarn",
        "Mediators said truce talks between the army and the rebels resumed in Tarn. A ceasefire "
        "could follow within days, the negotiators of both sides said.",
    )
    site.publish(
        "live-ferry",
        FERRY,
        "Ferry crews at Port Ellin stopped work at noon. The operator offered talks.",
    )

    async def done() -> bool:
        states = {one["title"]: one["state"] for one in await site.alerts()}
        truce, ferry = states.get("Truce talks resume in Tarn"), states.get(FERRY)
        return (truce, ferry) == ("sent", "failed")

    await until(done)

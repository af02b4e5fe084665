"""What ``run --sample`` shows: an article tagged, a search hit, an alert, and a summary."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.cli.context import Context
from deploy.cli.output import print_json, print_line
from deploy.folder import default_data_folder
from deploy.newsroom import Newsroom
from deploy.shell import Shell
from ingest.errors import UnavailableError
from processors.query import parse
from search.index import Hit, SearchRequest

SUMMARY_SECONDS = 60.0
LOOK_SECONDS = 0.5
QUERY = "topic:ceasefire-talks AND velmora"
SUBSCRIPTIONS = {
    "Ceasefire talks": "topic:ceasefire-talks",
    "Arms transfers": "topic:arms-transfers",
}


def sample_overrides(context: Context, newsroom: Newsroom) -> list[str]:
    """Settings of the sample newsroom: its own folder, its host allowed, quick polls."""
    settings = context.settings()
    named = settings.data.folder
    base = Path(named).expanduser() if named else default_data_folder()
    allowed = [*settings.net.allow, f"127.0.0.1:{newsroom.port}"]
    return [
        f"data.folder={base / 'sample'}",
        f"net.allow={','.join(allowed)}",
        "poll.min_seconds=2",
        "poll.default_seconds=3",
        "poll.max_seconds=5",
    ]


def sample_subscriptions(shell: Shell, newsroom: Newsroom) -> None:
    """The newsroom's feeds (the last start's had another port) and its two subscriptions, anew."""
    wanted = set(newsroom.feed_urls)
    for feed in shell.feeds.all():
        if feed.url not in wanted:
            shell.feeds.remove(feed.id)
    shell.feeds.import_list("\n".join(newsroom.feed_urls), name="sample newsroom")
    known = {one.name for one in shell.subscriptions.all()}
    for name, query in SUBSCRIPTIONS.items():
        if name in known:
            # Anew: the last start's was told of these stories, and is told of a story only once.
            shell.subscriptions.remove(name)
        shell.subscriptions.add(name=name, query=query, to=["stdout:"])


class Tour:
    """Follows the first minute and says what happens.

    ``options`` are those by which another command finds this shell; ``page`` is its address, where
    it has one.
    """

    def __init__(self, shell: Shell, *, options: Sequence[str], json: bool, page: str = "") -> None:
        self._shell = shell
        self._page = page
        self._options = shlex.join(options)
        self._json = json
        self._start = datetime.now(UTC)

    async def follow(self) -> None:
        """Print the first tagged article, the first hit, and after a minute one line each."""
        started = time.monotonic()
        self._say("start", "The sample newsroom is open; everything in it is fiction.")
        hit = await self._first(QUERY)
        topics = ", ".join(hit.topics)
        self._say("tagged", f"{hit.article.title}  [{topics}]  {hit.article.source}")
        fragment = hit.highlights.text[0].text if hit.highlights.text else ""
        self._say("found", f"by searching {QUERY}: … {fragment.strip()} …".replace("\n", " "))
        if not self._json:
            where = f" on {self._page}" if self._page else ""
            print_line(f"Watch it grow for four minutes{where}, or try in another terminal:")
            print_line(f"  wirewatch {self._options} search 'truce NEAR/5 talks'")
        await asyncio.sleep(max(0.0, SUMMARY_SECONDS - (time.monotonic() - started)))
        await self._summary()

    async def _first(self, query: str) -> Hit:
        while True:
            with contextlib.suppress(UnavailableError):  # a server's index that is just being made
                result = await asyncio.to_thread(self._search, query)
                if result:
                    return result[0]
            await asyncio.sleep(LOOK_SECONDS)

    def _total(self, query: str) -> int:
        request = SearchRequest(query=parse(query), size=1, since=self._start)
        return self._shell.index.search(request).total

    def _search(self, query: str) -> tuple[Hit, ...]:
        request = SearchRequest(query=parse(query), size=1, since=self._start)
        return self._shell.index.search(request).hits

    async def _summary(self) -> None:
        topics = " OR ".join(f"topic:{name}" for name in {one.id for one in self._shell.topics})
        tagged = await asyncio.to_thread(self._total, topics)
        articles = await asyncio.to_thread(self._total, "NOT topic:none")
        found = await asyncio.to_thread(self._shell.index.count, parse("truce OR ceasefire"))
        alerts = await asyncio.to_thread(self._shell.alert_counts)
        self._say("tagged", f"{tagged} of {articles} articles got a topic")
        self._say("found", f"{found} articles by searching: truce OR ceasefire")
        self._say("alerted", f"{alerts['sent']} alerts sent, once a story and subscription")

    def _say(self, what: str, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            if self._json:
                print_json([{"event": what, "text": text}])
            else:
                print_line(f"{what:<8} {text}")

"""A newsroom that knows every item it ever issued, so that a test can tell what was lost.

async with Ledger(feeds=4, seed=7) as ledger:
    ledger.issue(20)
    ledger.feed_urls, ledger.items

``python -m tests.ledger --feeds 40 --items 2000`` serves one in a process of its own until its
standard input ends; its first line says where.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from importlib import resources
from itertools import accumulate
from xml.sax.saxutils import escape

from aiohttp import web

from tests.local_server import LocalServer

COMMON = "bulletin"
"""A word that every item has; one search then finds them all."""

MARK = "truce"
"""A word that marked items have, for a subscription."""

LISTED = 100
"""Items that a feed lists unless told otherwise, the newest: what most sites do at most."""

_SYLLABLES = "bardenfolgimhuljorkamlinmernoppelrussattevvorwexyilzan"
_FOREIGN_LEVEL = "4"
"""Of the background list: the little words of other languages."""

_NAME_SHARE = 0.12
_NAMES = 10
"""Invented two-word names an item, which no other item has: so no two make one story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One issued item."""

    number: int
    feed: int
    guid: str
    url: str
    title: str
    text: str
    marked: bool
    issued: datetime


class Writer:
    """Texts in English words by their frequency, each about names of its own. Same seed, same."""

    def __init__(self, *, seed: int, words: int) -> None:
        self._chance = random.Random(seed)
        self._length = words
        self._syllables = [_SYLLABLES[start : start + 3] for start in range(0, 54, 3)]
        self._given: set[str] = set()
        self._words: list[str] = []
        weights: list[float] = []
        source = resources.files("processors").joinpath("background.txt").read_text("utf-8")
        for line in source.splitlines():
            level, *words_of_level = line.split(" ")
            if level == _FOREIGN_LEVEL:
                continue
            kept = [w for w in words_of_level if w.isascii() and w not in (MARK, COMMON)]
            self._words += kept
            weights += [2 ** (-float(level) / 2)] * len(kept)
        self._weights = list(accumulate(weights))

    def name(self) -> str:
        """Two words that nobody else has."""
        return f"{self._new_word()} {self._new_word()}"

    def _new_word(self) -> str:
        while (word := "".join(self._chance.choices(self._syllables, k=5)).title()) in self._given:
            pass
        self._given.add(word)
        return word

    def write(self, *, marked: bool) -> tuple[str, str]:
        """A title and a text."""
        names = [self.name() for _ in range(_NAMES)]
        extra = [COMMON, MARK] if marked else [COMMON]
        title = self._words_about(names, 6)
        body = self._words_about(names, self._length)
        for word in extra:
            body.insert(self._chance.randrange(len(body)), word)
        sentences = [body[start : start + 14] for start in range(0, len(body), 14)]
        text = ". ".join(" ".join(words) for words in sentences)
        return f"{names[0]} {' '.join(title)}", f"{text}."

    def _words_about(self, names: list[str], count: int) -> list[str]:
        words = self._chance.choices(self._words, cum_weights=self._weights, k=count)
        return [
            self._chance.choice(names) if self._chance.random() < _NAME_SHARE else word
            for word in words
        ]


class Ledger(LocalServer):
    """Serves the feeds on 127.0.0.1 at a free port and keeps what was issued.

    Args:
        marked: The share of items that hold the word ``MARK``.
        listed: Items that a feed lists.
    """

    def __init__(
        self,
        *,
        feeds: int = 4,
        seed: int = 1,
        words: int = 80,
        marked: float = 0.25,
        listed: int = LISTED,
    ) -> None:
        self.items: list[Item] = []
        self.requests = 0
        self._chance = random.Random(seed)
        self._seed = seed
        self._writer = Writer(seed=seed, words=words)
        self._marked = marked
        self._listed: list[deque[Item]] = [deque(maxlen=listed) for _ in range(feeds)]

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/{feed:[0-9]+}.xml", self._serve)]

    @property
    def feed_urls(self) -> list[str]:
        return [f"http://{self.host}/{number}.xml" for number in range(len(self._listed))]

    @property
    def marked(self) -> list[Item]:
        return [item for item in self.items if item.marked]

    def issue(self, count: int = 1) -> None:
        """Publish ``count`` more items, one feed after the other."""
        for _ in range(count):
            number = len(self.items)
            feed = number % len(self._listed)
            marked = self._chance.random() < self._marked
            title, text = self._writer.write(marked=marked)
            item = Item(
                number=number,
                feed=feed,
                guid=f"item-{self._seed}-{number}",
                url=f"https://outlet{feed}.example/{self._seed}/{number}",
                title=title,
                text=text,
                marked=marked,
                issued=datetime.now(UTC),
            )
            self.items.append(item)
            self._listed[feed].append(item)

    async def keep_issuing(self, *, per_second: float, total: int) -> None:
        """Publish at an even rate until ``total`` items are out."""
        loop = asyncio.get_running_loop()
        started, before = loop.time(), len(self.items)
        while len(self.items) < total:
            due = before + int((loop.time() - started) * per_second) + 1
            self.issue(min(due, total) - len(self.items))
            await asyncio.sleep(1 / per_second)

    async def _serve(self, request: web.Request) -> web.Response:
        self.requests += 1
        items = self._listed[int(request.match_info["feed"])]
        newest = items[-1].number if items else -1
        headers = {"ETag": f'"{newest}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=_rss(items).encode(), headers={"Content-Type": "application/rss+xml", **headers}
        )


def _rss(items: deque[Item]) -> str:
    parts = [
        f'<item><guid isPermaLink="false">{item.guid}</guid><title>{escape(item.title)}</title>'
        f"<link>{item.url}</link><pubDate>{format_datetime(item.issued)}</pubDate>"
        f"<description>{escape(item.text)}</description></item>"
        for item in reversed(items)
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Ledger</title>'
        "<link>https://ledger.example/</link><language>en</language>"
        f"{''.join(parts)}</channel></rss>"
    )


async def _main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.ledger", description=__doc__)
    parser.add_argument("--feeds", type=int, default=4)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--words", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    async with Ledger(feeds=given.feeds, seed=given.seed, words=given.words) as ledger:
        ledger.issue(given.items)
        print(json.dumps({"host": ledger.host, "feeds": ledger.feed_urls}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))

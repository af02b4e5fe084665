"""The main job on real input: every real feed of the evaluation data, from bytes to alerts."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.parsers import expat

import pytest

from ingest.identity import feed_id
from tests.loopback import Hook, file_server, hook
from tests.running import Place, Running

pytestmark = pytest.mark.timeout(420)  # one set-up of a minute serves all tests of this file

KINDS = {"real-news", "real-other"}
RUN_SECONDS = 300.0
SAMPLE = 25
ALL = "seen:>2000-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A file as it was served."""

    url: str
    body: bytes
    is_whole: bool

    @property
    def feed_id(self) -> str:
        return feed_id(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What came of polling every file twice, and what search and webhook said then."""

    files: tuple[Served, ...]
    first: dict[str, Any]
    second: dict[str, Any]
    health: dict[str, dict[str, Any]]
    articles: tuple[dict[str, Any], ...]
    told: dict[str, int]
    tagged: tuple[dict[str, Any], ...]
    hook: Hook
    secret: str


@pytest.fixture(scope="module")
def story(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    feeds = shared_data / "feeds"
    if not (feeds / "MANIFEST.tsv").is_file():
        pytest.skip("the evaluation data holds no feeds")
    folder = tmp_path_factory.mktemp("real")
    with file_server(feeds) as host, hook() as receiver:
        files = tuple(served(feeds, host))
        (folder / "feeds.txt").write_text("".join(f"{one.url}\n" for one in files))
        settings = {"net.allow": f"{host},{receiver.host}", "alerts.first_poll_hours": 1_000_000}
        place = Place(folder=folder, settings=settings)
        secret = place.subscribe("Ceasefire talks", "topic:ceasefire-talks", receiver.url)
        first = once(place, "--feeds", str(folder / "feeds.txt"))
        second = once(place)
        health = [json.loads(line) for line in health_of(place)]
        articles, told, tagged = asyncio.run(asked(place))
        yield Story(
            files=files,
            first=first,
            second=second,
            health={row["url"]: row for row in health},
            articles=tuple(articles),
            told=told,
            tagged=tuple(tagged),
            hook=receiver,
            secret=secret,
        )


def served(feeds: Path, host: str) -> Iterator[Served]:
    with (feeds / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["kind"] in KINDS:
                whole = row["expat_ok"] == "1" or row["format"] == "json"
                yield Served(
                    url=f"http://{host}/{quote(row['file'])}",
                    body=(feeds / row["file"]).read_bytes(),
                    is_whole=whole and row["format"] not in {"html", "other"},
                )


def once(place: Place, *more: str) -> dict[str, Any]:
    running = Running(place, "run", "--once", "--json", *more)
    assert asyncio.run(running.ended(seconds=RUN_SECONDS)) == 0, running.said()
    totals: dict[str, Any] = json.loads(running.output.read_text())
    print(totals, file=sys.stderr)
    return totals


def health_of(place: Place) -> list[str]:
    return place.call("feeds", "health", "--json").stdout.splitlines()


async def asked(
    place: Place,
) -> tuple[list[dict[str, Any]], dict[str, int], list[dict[str, Any]]]:
    """All articles, how many a search for each of a sample's titles finds, and the tagged ones."""
    running = Running(place, "run", "--no-web", number=1)
    try:
        await running.ready()
        articles = await pages(running, ALL)
        titles = sorted({phrase(one["title"]) for one in articles} - {""})
        sample = random.Random(20_260_302).sample(titles, SAMPLE)
        told = {title: await running.found(title) for title in sample}
        return articles, told, await pages(running, "topic:ceasefire-talks")
    finally:
        running.kill()


async def pages(running: Running, query: str) -> list[dict[str, Any]]:
    hits: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = await running.ask("/api/search", q=query, size="200", after=after)
        answer.raise_for_status()
        page = answer.json()
        hits += page["hits"]
        after = page["end"]["after"]
        if not after or not page["hits"]:
            assert page["end"]["total"] == {"value": len(hits), "relation": "eq"}
            return hits


def phrase(title: str) -> str:
    """The first words of ``title`` as a phrase, where it has three in Latin letters."""
    words = title.split()[:3]
    is_plain = len(words) == 3 and all(re.fullmatch(r"[A-Za-z]{3,}", word) for word in words)
    return f'title:"{" ".join(words)}"' if is_plain else ""


def complete_items(body: bytes) -> int:
    """How many entries ``body`` holds to their end, by their end tags alone."""
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    if body.lstrip().startswith(b"{"):
        return len(json.loads(body)["items"])
    shown = re.sub(rb"<!--.*?-->", b"", body, flags=re.DOTALL)
    return len(re.findall(rb"</(?:\w+:)?(?:item|entry)\s*>", shown))


def different_entries(body: bytes) -> set[tuple[str, str]]:
    """What names each entry of a well-formed document: its id and its link, as written."""
    found: list[dict[str, str]] = []
    path: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        path.append(tag.rpartition(":")[2])
        if path[-1] in {"item", "entry"}:
            found.append({})
        elif found and path[-1] == "link":
            found[-1].setdefault("href", attributes.get("href", ""))

    def text(data: str) -> None:
        if len(path) > 1 and path[-2] in {"item", "entry"} and path[-1] in {"guid", "id", "link"}:
            found[-1][path[-1]] = found[-1].get(path[-1], "") + data.strip()

    parser = expat.ParserCreate()  # without namespaces: some feeds leave theirs undeclared
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = text
    parser.Parse(body, True)  # noqa: FBT003 - it takes no name
    return {
        (one.get("guid") or one.get("id", ""), one.get("link") or one.get("href", ""))
        for one in found
    }


def test_every_well_formed_feed_is_read(story: Story) -> None:
    unread = {
        one.url: story.health[one.url]["sentence"]
        for one in story.files
        if one.is_whole and story.health[one.url]["state"] not in {"ok", "slow", "silent"}
    }
    assert unread == {}
    assert sum(one.is_whole for one in story.files) > 300


def test_a_feed_counts_as_failed_exactly_where_its_health_says_so(story: Story) -> None:
    bad = [row for row in story.health.values() if row["state"] not in {"ok", "slow", "silent"}]
    assert story.first["feeds"] == len(story.files) == len(story.health)
    assert story.first["failed"] == story.second["failed"] == len(bad)
    assert {row["state"] for row in bad} <= {"not-a-feed", "failing"}


def test_the_totals_add_up(story: Story) -> None:
    totals = story.first
    assert totals["articles"] + totals["revisions"] == totals["indexed"] + totals["quarantined"]
    entries = sum(
        complete_items(one.body)
        for one in story.files
        if story.health[one.url]["state"] != "not-a-feed"
    )
    assert totals["articles"] + totals["revisions"] + totals["duplicates"] == entries
    assert totals["quarantined"] == 0
    assert totals["alerts"] == totals["delivered"]


def test_a_second_run_finds_nothing_new(story: Story) -> None:
    new = ("articles", "revisions", "tagged", "stories", "indexed", "quarantined", "alerts")
    assert {name: story.second[name] for name in new} == dict.fromkeys(new, 0)


def test_search_finds_every_article_once(story: Story) -> None:
    assert len(story.articles) == story.first["articles"] - story.first["quarantined"]
    assert len({one["id"] for one in story.articles}) == len(story.articles)


def test_search_finds_an_article_by_the_words_of_its_title(story: Story) -> None:
    assert len(story.told) == SAMPLE
    assert [title for title, count in story.told.items() if not count] == []


def test_different_entries_are_never_merged(story: Story) -> None:
    articles = Counter(feed for one in story.articles for feed in one["feeds"])
    merged = {
        one.url: (articles[one.feed_id], len(expected))
        for one in story.files
        if one.is_whole
        and not one.body.lstrip().startswith(b"{")
        and articles[one.feed_id] != len(expected := different_entries(one.body))
    }
    assert merged == {}


def test_one_address_in_two_feeds_is_one_article(story: Story) -> None:
    by_address: dict[str, list[set[str]]] = defaultdict(list)
    for one in story.articles:
        if one["canonical_url"]:
            by_address[one["canonical_url"]].append(set(one["feeds"]))
    # Two articles may share an address only where one document gives it to several entries.
    apart = {url: feeds for url, feeds in by_address.items() if not set.intersection(*feeds)}
    assert apart == {}
    assert any(len(one["feeds"]) > 1 for one in story.articles)


def test_a_webhook_hears_of_each_tagged_story_once(story: Story) -> None:
    bodies = story.hook.verified(story.secret)
    told = [body["data"]["story"]["id"] for body in bodies]
    assert sorted(told) == sorted({one["story_id"] for one in story.tagged})
    assert len(told) == story.first["delivered"] > 0
    assert len({body["data"]["alert_id"] for body in bodies}) == len(bodies)

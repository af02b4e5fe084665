from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.errors import UnreadableError
from ingest.reading import Reading, answer, header, read_answer, read_feed, read_found
from ingest.settings import ArticleLimits
from tests.newsserver import item, rss

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
READING = Reading(
    url="https://harbour.example/rss",
    feed_id="feed",
    fetched=NOW,
    groups=("Ports",),
    limits=ArticleLimits(title_chars=20),
)
BODY = rss(
    item("1", "Ferry runs again", link="/1", text="At noon.", published=NOW),
    item("2", "A headline that goes on and on"),
    more="<ttl>30</ttl>",
).encode()


def test_what_the_sandbox_answers_survives_as_json() -> None:
    said = json.loads(json.dumps(answer(json.loads(json.dumps(header(READING))), BODY)))
    assert read_answer(said) == read_feed(BODY, READING)


def test_a_feed_gives_facts_and_articles_in_order() -> None:
    found = read_feed(BODY, READING)
    assert (found.feed.title, found.feed.ttl_minutes) == ("Harbour news", 30)
    first, second = found.articles
    assert (first.title, first.url) == ("Ferry runs again", "https://harbour.example/1")
    assert (first.published, first.groups, first.feed_id) == (NOW, ("Ports",), "feed")
    assert len(second.title) <= 20, "limits travel into the sandbox"


def test_the_title_of_a_feed_is_plain_text() -> None:
    title = "<b>Harbour</b> &amp; coast\u202e\u009b31m" + " x" * 400
    found = read_feed(rss(item("1", "Ferry"), title=title).encode(), READING).feed.title
    assert found.startswith("Harbour & coast")
    assert found.isprintable()
    assert len(found) == 300
    assert found.endswith("…")


def test_what_is_no_feed_is_refused() -> None:
    with pytest.raises(UnreadableError):
        answer(header(READING), b"<html><body>Hello</body></html>")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"feed": {}, "articles": [{}]},
        {"feed": {}, "articles": [{"id": "1", "feed_id": "f", "published": "yesterday"}]},
        {"feed": {"ttl_minutes": "x"}, "articles": []},
        {"feed": None, "articles": "x" * 100},
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_crash_of_the_reader(said: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError) as crash:
        read_answer(said)
    assert crash.value.code == "crashed"
    with pytest.raises(UnreadableError):
        read_found(said)

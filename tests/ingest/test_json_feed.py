from __future__ import annotations

import json

import pytest

from ingest.errors import UnreadableError
from ingest.json_feed import parse_json_feed
from ingest.parse import parse_feed

FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Harbour News",
    "home_page_url": "https://harbour.example/",
    "feed_url": "https://harbour.example/feed.json",
    "language": "en",
    "items": [
        {
            "id": 42,
            "url": "https://harbour.example/42",
            "title": "Ferry repaired",
            "content_html": "<p>The ferry sails again.</p>",
            "summary": "Ferry sails.",
            "date_published": "2026-03-01T10:00:00+01:00",
            "date_modified": "2026-03-01T11:00:00+01:00",
            "authors": [{"name": "Ada Holm"}, {"url": "https://b.example/"}, {"name": "Ada Holm"}],
            "tags": ["harbour", " ferry ", "harbour", 7],
        },
        {"id": "https://harbour.example/43", "content_text": "No title.", "language": "da"},
        {"id": "44", "external_url": "https://else.example/", "author": {"name": "Bo"}},
    ],
}


def test_version_1_1_gives_the_fields_as_written() -> None:
    feed = parse_json_feed(json.dumps(FEED))
    assert (feed.title, feed.format, feed.language) == ("Harbour News", "json", "en")
    assert feed.self_url == "https://harbour.example/feed.json"
    first, second, third = feed.entries
    assert (first.guid, first.link) == ("42", "https://harbour.example/42")
    assert (first.body, first.body_is_html) == ("<p>The ferry sails again.</p>", True)
    assert first.summary == "Ferry sails."
    assert (first.published, first.date_source) == ("2026-03-01T10:00:00+01:00", "date_published")
    assert first.updated == "2026-03-01T11:00:00+01:00"
    assert first.authors == ("Ada Holm", "https://b.example/")
    assert first.tags == ("harbour", "ferry")
    assert (second.link, second.guid_is_permalink) == ("https://harbour.example/43", True)
    assert (second.body, second.body_is_html, second.language) == ("No title.", False, "da")
    assert (third.link, third.authors) == ("https://else.example/", ("Bo",))


def test_a_missing_version_is_only_noted() -> None:
    feed = parse_json_feed('{"items": [{"id": "1"}, "stray"]}')
    assert len(feed.entries) == 1
    assert feed.notes == ("1 items that are no objects left out", "no JSON Feed version given")


def test_json_is_recognised_whatever_the_content_type_says() -> None:
    body = b"\xef\xbb\xbf \n" + json.dumps(FEED).encode()
    assert len(parse_feed(body, content_type="text/html").entries) == 3


def test_json_that_breaks_off_is_refused_with_its_place() -> None:
    with pytest.raises(UnreadableError) as caught:
        parse_json_feed('{"items": [\n {"id": "1", "title": "unfin')
    assert caught.value.code == "truncated"
    assert caught.value.place == "line 2, column 23"


def test_malformed_json_is_refused_with_its_place() -> None:
    with pytest.raises(UnreadableError) as caught:
        parse_json_feed('{"items": [}, "x": 1}')
    assert (caught.value.code, caught.value.place) == ("malformed-json", "line 1, column 12")


@pytest.mark.parametrize(
    "text", ['{"items":' + "[" * 100_000, '{"items": [{"id": ' + "9" * 10_000 + "}]}"]
)
def test_json_bombs_are_refused(text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse_json_feed(text)
    assert caught.value.code == "malformed-json"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('{"error": {"message": "Unknown key"}}', "json-error", "Unknown key"),
        ('{"errors": ["Too many requests"]}', "json-error", "Too many requests"),
        ('{"message": "Not found"}', "json-error", "Not found"),
        ("[1, 2]", "not-a-feed", "JSON answer"),
        ('{"items": 3}', "not-a-feed", "JSON answer"),
    ],
)
def test_other_json_is_refused_with_what_it_says(text: str, code: str, said: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse_json_feed(text)
    assert caught.value.code == code
    assert said in caught.value.sentence

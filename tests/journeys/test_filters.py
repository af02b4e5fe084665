"""The filters: standard input to standard output, JSON lines, no state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hour import given, rows
from tests.newsserver import item, rss
from tests.running import Place

CAIRO = (
    "CAIRO - Delegations of both sides met in Cairo on Monday for truce talks under the eye of "
    "mediators. They discussed the exchange of prisoners and the length of a ceasefire, the "
    "mediators said. The talks are to go on for three days. In the capital of the neighbouring "
    "country, parliament approved an arms package worth 400 million for the army, with artillery "
    "shells and air defence missiles to be delivered before winter."
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(folder=tmp_path)


def lines(objects: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def read(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_parse_gives_a_line_an_entry_and_a_line_a_refused_file(place: Place) -> None:
    good, bad = place.folder / "good.xml", place.folder / "bad.xml"
    good.write_text(rss(item("1", "Ferry"), item("2", "Harbour", link="https://a.example/2")))
    bad.write_text("<html><body>a page</body></html>")
    done = place.call("parse", str(good), str(bad), check=False)
    first, second, refused = read(done.stdout)
    assert done.returncode == 1
    assert (first["file"], first["title"], second["title"]) == (str(good), "Ferry", "Harbour")
    assert first["revision"] is None
    assert first["seen"] is None
    assert refused["file"] == str(bad)
    assert refused["code"] == "html-page"
    assert refused["error"]


def test_parse_reads_standard_input(place: Place) -> None:
    found = read(
        given(place, "parse", "--url", "https://a.example/f", text=rss(item("1", "Fähre")))
    )
    assert [(one["file"], one["title"]) for one in found] == [("-", "Fähre")]


def test_tag_gives_both_topics_of_the_first_case_with_the_words_that_earned_them(
    place: Place,
) -> None:
    (found,) = read(given(place, "tag", text=lines([{"id": "cairo", "text": CAIRO}])))
    assert found["id"] == "cairo"
    tags = {one["topic"]: one for one in found["topics"]}
    assert {name for name, tag in tags.items() if tag["band"] == "tag"} == {
        "ceasefire-talks",
        "arms-transfers",
    }
    words = " ".join(one["text"] for tag in tags.values() for one in tag["evidence"])
    assert "truce talks" in words
    assert "arms package" in words
    for tag in tags.values():
        for one in tag["evidence"]:
            for start, end in one["spans"]:
                assert CAIRO[start:end].strip()


def test_match_answers_in_the_order_of_its_input(place: Place) -> None:
    queries = place.folder / "queries.jsonl"
    queries.write_text(
        lines(
            [
                {"id": "near", "query": "truce NEAR/3 talks"},
                {"id": "wild", "query": "ferr*"},
                {"id": "both", "query": "truce OR ferry"},
                {"id": "topic", "query": "topic:ceasefire-talks"},
            ]
        )
    )
    articles: list[dict[str, Any]] = [
        {"id": "1", "text": "The ferries run."},
        {"id": "2", "text": "Truce talks began.", "topics": ["ceasefire-talks"]},
        {"id": "3", "text": "Nothing."},
    ]
    found = read(given(place, "match", "--queries", str(queries), text=lines(articles)))
    assert found == [
        {"id": "1", "matches": ["wild"]},
        {"id": "2", "matches": ["near", "both", "topic"]},
        {"id": "3", "matches": []},
    ]


def test_group_finds_the_copy(place: Place) -> None:
    articles = [
        {"id": "1", "title": "Truce", "text": CAIRO, "date": "2026-03-01T08:00:00Z"},
        {"id": "2", "title": "Ferry", "text": "The ferry runs.", "date": "2026-03-01T08:30:00Z"},
        {"id": "3", "title": "Truce", "text": CAIRO, "date": "2026-03-01T09:00:00Z"},
    ]
    found = {one["id"]: one for one in read(given(place, "group", text=lines(articles)))}
    assert found["3"]["copy_of"] == "1"
    assert found["3"]["story_id"] == found["1"]["story_id"] != found["2"]["story_id"]
    assert found["3"]["similarity"] > 0.9


def test_an_article_without_an_id_is_tagged_without_one(place: Place) -> None:
    named, alone = read(
        given(place, "tag", text=lines([{"id": 7, "text": CAIRO}, {"text": CAIRO}]))
    )
    assert named["id"] == 7
    assert set(alone) == {"topics"}
    assert alone["topics"] == named["topics"]


def test_a_line_that_is_no_article_is_named(place: Place) -> None:
    assert given(place, "tag", text="", check=True) == ""
    for text in ("not json\n", '["a"]\n', '{"id":"x"}\n'):
        assert given(place, "tag", text=text, check=False) == ""


def test_filters_leave_no_data_folder_behind(place: Place) -> None:
    given(place, "tag", text=lines([{"text": "A ferry."}]))
    assert rows(place, "topics", "list")
    assert not place.data.exists()

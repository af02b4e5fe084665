"""The filter ``group``."""

from __future__ import annotations

from processors.grouping import group_articles

TEXT = "Dock workers in the port of Velmara walked out at dawn after pay talks broke down."
KEYS = ["id", "story_id", "copy_of", "similarity"]


def test_each_article_gives_a_line_in_order_with_its_story_and_what_it_copies() -> None:
    lines = list(
        group_articles(
            [
                {"id": 1, "title": "Strike", "text": TEXT, "date": "26-FEB-1987 15:01:01.79"},
                {"id": 2, "title": "Strike", "text": TEXT, "seen": "1987-02-27T15:00:00Z"},
                {"id": 3, "title": "Strike", "text": TEXT, "seen": "1987-03-15T15:00:00Z"},
            ]
        )
    )
    assert [list(line) for line in lines] == [KEYS] * 3
    assert [line["id"] for line in lines] == [1, 2, 3]
    assert [line["story_id"] for line in lines] == ["1", "1", "3"]
    assert [line["copy_of"] for line in lines] == ["", "1", ""]


def test_an_article_without_a_usable_date_counts_as_seen_with_the_last() -> None:
    rows = [
        {"id": "a", "text": TEXT, "date": "2026-03-01"},
        {"id": "b", "text": TEXT, "date": "yesterday &#5;"},
        {"id": "c", "text": TEXT},
    ]
    assert [line["copy_of"] for line in group_articles(rows)] == ["", "a", "a"]


def test_the_window_can_be_set() -> None:
    rows = [
        {"id": "a", "text": TEXT, "date": "2026-03-01T00:00:00Z"},
        {"id": "b", "text": TEXT, "date": "2026-03-02T00:00:00Z"},
    ]
    assert [line["copy_of"] for line in group_articles(rows, window_hours=12)] == ["", ""]

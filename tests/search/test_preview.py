"""What a subscription would have sent, from what is indexed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import QueryError
from search import volume
from search.preview import preview
from search.tantivy_index import TantivyIndex
from tests.story_records import story

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TantivyIndex]:
    made = TantivyIndex(tmp_path / "index")
    yield made
    made.close()


def fill(index: TantivyIndex, *rows: tuple[str, float, str]) -> None:
    """Articles: name, days ago, story."""
    index.write(
        [
            story(name, "A truce holds.", order=n, seen=NOW - timedelta(days=days), story_id=one)
            for n, (name, days, one) in enumerate(rows)
        ]
    )
    index.refresh()


def told(index: TantivyIndex, query: str = "truce", days: int = 30, **more: Any) -> dict[str, Any]:
    return preview(index, query, days=days, now=NOW, **more)


def test_a_story_is_one_alert_on_the_day_it_is_first_found(index: TantivyIndex) -> None:
    fill(index, ("a", 3, "one"), ("b", 2, "one"), ("c", 2, "two"), ("d", 0.1, "three"))
    found = told(index, days=5)
    assert [(row["day"], row["matches"], row["alerts"]) for row in found["days"]] == [
        ("2026-11-16", 0, 0),
        ("2026-11-17", 1, 1),
        ("2026-11-18", 2, 1),
        ("2026-11-19", 0, 0),
        ("2026-11-20", 1, 1),
    ]
    assert (found["would_have_sent"], found["relation"]) == (3, "eq")
    assert found["busiest"] == {"day": "2026-11-17", "alerts": 1}
    assert found["sentence"] == "would have sent 3 alerts in 5 days; busiest day 1"
    assert [hit["id"] for hit in found["examples"]] == ["d", "c", "b"]


def test_every_article_is_an_alert_where_that_is_asked(index: TantivyIndex) -> None:
    fill(index, ("a", 3, "one"), ("b", 2, "one"))
    found = told(index, every_article=True)
    assert found["sentence"] == "would have sent 2 alerts in 30 days; busiest day 1"
    assert [hit["id"] for hit in found["examples"]] == ["b", "a"]


def test_what_must_be_verified_is_counted_alike(index: TantivyIndex) -> None:
    fill(index, ("a", 3, "one"), ("b", 2, "one"), ("c", 2, "two"))
    exact, verified = told(index, "truce"), told(index, "truce SAMESENT holds")
    assert exact["days"] == verified["days"]
    assert verified["would_have_sent"] == 2


def test_nothing_found_is_said_so(index: TantivyIndex) -> None:
    fill(index, ("old", 31, "one"))
    found = told(index)
    assert found["sentence"] == "would have sent no alert in 30 days"
    assert found["examples"] == []
    assert told(index, days=1)["sentence"] == "would have sent no alert in 1 day"


def test_a_bound_is_no_total(index: TantivyIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(index, *((f"a{n}", 2, f"story-{n}") for n in range(6)))
    monkeypatch.setattr(volume, "MAX_STORIES", 4)
    found = told(index)
    assert (found["would_have_sent"], found["relation"]) == (4, "gte")
    assert found["sentence"] == "would have sent at least 4 alerts in 30 days; busiest day 4"
    assert sum(row["matches"] for row in found["days"]) == 6


@pytest.mark.parametrize(("query", "caret"), [("truce AND (", 10), ("seen:24h", 0), ("topic:x", 0)])
def test_a_query_nobody_can_subscribe_to_is_refused_with_a_caret(
    index: TantivyIndex, query: str, caret: int
) -> None:
    with pytest.raises(QueryError) as caught:
        told(index, query, topics={"truce"})
    assert caught.value.caret is not None
    assert caught.value.caret >= caret - 1

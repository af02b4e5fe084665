"""What the API shows of records."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.errors import UsageError
from ingest.log import NewRecord, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from search import views
from search.caller import LOCAL
from search.tantivy_index import TantivyIndex
from tests.story_records import story


def test_a_page_names_the_cursor_of_the_next_only_where_there_is_one() -> None:
    rows = [{"id": str(number)} for number in range(3)]
    assert views.page("rows", iter(rows), size=2, key="id") == {"rows": rows[:2], "after": "1"}
    assert views.page("rows", iter(rows), size=3, key="id") == {"rows": rows, "after": ""}
    assert views.page("rows", iter([]), size=3, key="id") == {"rows": [], "after": ""}


def test_the_rest_of_a_list_begins_behind_the_cursor() -> None:
    rows, ids = [10, 11, 12], ["a", "b", "c"]
    assert list(views.rest(rows, after="", ids=ids)) == rows
    assert list(views.rest(rows, after="b", ids=ids)) == [12]
    with pytest.raises(UsageError):
        views.rest(rows, after="x", ids=ids)


def test_an_article_says_its_story_and_how_large_that_is_now(tmp_path: Path) -> None:
    log, index = SqliteLog(tmp_path / "log.sqlite"), TantivyIndex(tmp_path / "index")
    try:
        log.ensure_topics(topic_specs())
        first = story("a", "truce", order=1)
        log.append([NewRecord(topic="stories", key="a", value=encode(first))])
        before = views.article(log, index, "a", who=LOCAL)
        later = [story(name, "truce", order=n) for n, name in enumerate("bcd", start=2)]
        index.write([first, *later])
        index.write([], links={"a": "b"})
        after = views.article(log, index, "a", who=LOCAL)
    finally:
        index.close()
        log.close()
    assert (before["story_id"], before["story_size"]) == ("a", 1)
    assert (after["story_id"], after["story_size"]) == ("b", 2)

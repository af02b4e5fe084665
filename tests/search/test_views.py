"""What the API shows of records."""

from __future__ import annotations

import pytest

from ingest.errors import UsageError
from search import views


def test_a_page_names_the_cursor_of_the_next_only_where_there_is_one() -> None:
    rows = [{"id": str(number)} for number in range(3)]
    assert views.page("rows", iter(rows), size=2, key="id") == {"rows": rows[:2], "after": "1"}
    assert views.page("rows", iter(rows), size=3, key="id") == {"rows": rows, "after": ""}
    assert views.page("rows", iter([]), size=3, key="id") == {"rows": [], "after": ""}


def test_the_rest_of_a_list_begins_behind_the_cursor() -> None:
    rows = [{"id": str(number)} for number in range(3)]
    assert list(views.rest(rows, after="", key="id")) == rows
    assert list(views.rest(rows, after="1", key="id")) == rows[2:]
    with pytest.raises(UsageError):
        views.rest(rows, after="9", key="id")

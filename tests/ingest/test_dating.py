from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.dating import Dating, date_entry
from ingest.entry import RawEntry
from ingest.wire import format_time

FETCHED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def dated(published: str = "", updated: str = "", **more: str) -> Dating:
    entry = RawEntry(published=published, updated=updated, **more)  # type: ignore[arg-type] # str fields only
    return date_entry(entry, language="", fetched=FETCHED)


def test_a_date_is_kept_in_utc_with_its_claim_and_its_source() -> None:
    found = dated("Sun, 22 Nov 2026 13:00:00 +0200", date_source="pubDate")
    assert found.published == datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    assert found.claimed == "Sun, 22 Nov 2026 13:00:00 +0200"
    assert (found.source, found.note, found.day) == ("pubDate", "", "2026-11-22")


def test_the_last_change_serves_where_the_publication_is_missing_or_unreadable() -> None:
    for published in ("", "some day"):
        found = dated(published, "2026-11-21T10:00:00Z")
        assert found.published == found.updated == datetime(2026, 11, 21, 10, tzinfo=UTC)
        assert found.source == "updated"
        assert found.claimed == (published or "2026-11-21T10:00:00Z")


def test_an_entry_without_date_has_none_and_says_so() -> None:
    found = dated()
    assert (found.published, found.claimed, found.source) == (None, "", "none")
    assert (found.note, found.day) == ("no date", "")


@pytest.mark.parametrize(
    ("claim", "note"),
    [
        ("1989-12-31T23:59:59Z", "date before 1990"),
        ("0001-01-01T00:00:00Z", "date before 1990"),
        ("9999-12-31T23:59:59Z", "date in the future"),
        ("2026-11-23T12:00:01Z", "date in the future"),
        ("31 Jun 2026 10:00:00 GMT", "date not understood"),
        ("<script>", "date not understood"),
    ],
)
def test_a_date_that_cannot_be_is_left_out_and_its_claim_kept(claim: str, note: str) -> None:
    found = dated(claim)
    assert (found.published, found.source, found.note) == (None, "none", note)
    assert found.claimed == claim
    assert found.day == claim


def test_dates_from_1990_to_a_day_from_now_are_kept() -> None:
    first, last = datetime(1990, 1, 1, tzinfo=UTC), FETCHED + timedelta(hours=24)
    assert dated(format_time(first)).published == first
    assert dated(format_time(last)).published == last


def test_a_change_in_the_future_is_left_out_alone() -> None:
    found = dated("2026-11-21T10:00:00Z", "2036-11-21T10:00:00Z")
    assert found.published is not None
    assert found.updated is None


def test_a_claim_of_megabytes_is_cut() -> None:
    assert len(dated("x" * 10_000_000).claimed) == 100


def test_the_language_of_the_entry_helps_to_read_its_date() -> None:
    assert dated("mer, 16 nov 2022 10:00:00 +0100", language="it").published == datetime(
        2022, 11, 16, 9, tzinfo=UTC
    )

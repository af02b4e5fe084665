from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UsageError
from ingest.feeds import (
    MAX_STATE_BYTES,
    SHARDS,
    FeedState,
    bounded,
    checked_feed_url,
    health,
    make_feed,
    shard_of,
    words,
)
from ingest.wire import decode, encode

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FEED = make_feed("https://harbour.example/rss", added=NOW, title="Harbour")


def state(**values: object) -> FeedState:
    return FeedState(feed_id=FEED.id, **values)  # type: ignore[arg-type]


def test_spellings_of_one_address_are_one_feed() -> None:
    first = make_feed("http://www.Harbour.example/rss", added=NOW)
    assert first.id == FEED.id
    assert make_feed("https://harbour.example/atom", added=NOW).id != FEED.id


def test_feeds_of_one_host_lie_in_one_shard() -> None:
    assert shard_of("https://www.harbour.example/a") == shard_of("http://harbour.example:81/b")
    shards = {shard_of(f"https://site{number}.example/") for number in range(500)}
    assert shards == set(range(SHARDS))


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        (" https://a.example/rss\n", "https://a.example/rss"),
        ("feed:https://a.example/rss", "https://a.example/rss"),
        ("feed://a.example/rss", "https://a.example/rss"),
        ("a.example/rss", "https://a.example/rss"),
        ("a.example:8080/rss", "https://a.example:8080/rss"),
    ],
)
def test_an_address_is_understood_as_people_write_it(given_text: str, expected: str) -> None:
    assert checked_feed_url(given_text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "rss", "file:///etc/passwd", "gopher://a.example/", "data:text/xml,<rss/>",
        "https://", "https://a.example/\r\nHost: b", "https://a.example/a b", "https://[::1",
        "https://a.example/" + "a" * 2_000, "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_feed_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        checked_feed_url(text)
    assert refusal.value.sentence


def test_a_feed_not_polled_yet_says_so() -> None:
    found = health(FEED, None, now=NOW)
    assert (found.state, found.sentence) == ("ok", "Not polled yet.")
    assert found.usual_gap_seconds is None


def test_a_feed_is_silent_after_ten_times_its_usual_gap() -> None:
    daily = state(last_new=NOW, usual_gap_seconds=86_400.0, sentence="Answers.")
    assert health(FEED, daily, now=NOW + timedelta(days=9)).state == "ok"
    found = health(FEED, daily, now=NOW + timedelta(days=11))
    assert found.state == "silent"
    assert found.sentence == (
        "Nothing new since 02 March 2026; usually something comes every 1 day."
    )


def test_a_busy_feed_is_not_silent_over_a_weekend() -> None:
    busy = state(last_new=NOW, usual_gap_seconds=60.0)
    assert health(FEED, busy, now=NOW + timedelta(hours=47)).state == "ok"
    assert health(FEED, busy, now=NOW + timedelta(hours=49)).state == "silent"


def test_health_of_a_failing_feed_is_what_the_poll_said() -> None:
    failing = state(state="failing", sentence="Timed out.", failures=3, title="Own title")
    found = health(make_feed(FEED.url, added=NOW), failing, now=NOW)
    assert (found.state, found.sentence, found.failures) == ("failing", "Timed out.", 3)
    assert found.title == "Own title"


def test_durations_are_said_in_one_unit() -> None:
    said = [words(seconds) for seconds in (0, 1, 59, 90, 3_600, 200_000)]
    assert said == ["0 seconds", "1 second", "59 seconds", "2 minutes", "1 hour", "2 days"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=3_000)


@given(title=texts, sentence=texts, etag=texts, moved=texts)
def test_a_state_never_grows_above_four_kilobytes(
    title: str, sentence: str, etag: str, moved: str
) -> None:
    kept = bounded(
        state(
            title=title, sentence=sentence, etag=etag, last_modified=etag, moved_to=moved,
            followed_url=moved, body_hash="a" * 32, next_poll=NOW, last_ok=NOW, last_new=NOW,
            last_poll=NOW, last_full_fetch=NOW, day_started=NOW, moved_since=NOW,
        )
    )  # fmt: skip
    assert len(encode(kept)) <= MAX_STATE_BYTES
    assert kept.etag in {"", etag}
    assert kept.moved_to in {"", moved}


def test_the_largest_state_fits_and_comes_back_whole() -> None:
    full = bounded(
        state(
            title="\x01" * 5_000, sentence='"' * 5_000, etag="e" * 400, last_modified="l" * 100,
            moved_to="https://m.example/" + "m" * 580,
            followed_url="https://f.example/" + "é" * 290,
            body_hash="a" * 32, next_poll=NOW, last_ok=NOW, last_new=NOW, last_poll=NOW,
            last_full_fetch=NOW, day_started=NOW, moved_since=NOW, gone_since=NOW,
            wait_until=NOW,
        )
    )  # fmt: skip
    raw = encode(full)
    assert len(raw) <= MAX_STATE_BYTES
    assert decode(FeedState, raw) == full
    assert full.etag == "e" * 400

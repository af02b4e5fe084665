"""Alerts without the articles that were erased: alone, and in digests."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ingest.errors import UsageError
from search.alert_state import Alert
from search.erased_alerts import emptied, refuse_to_repeat, speaks_of, without

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def entry(article: str) -> dict[str, object]:
    return {
        "story": f"story-of-{article}",
        "articles": [{"id": article, "title": f"Title of {article}"}],
        "why": [{"clause": "truce", "text": f"words of {article}"}],
        "alert_id": f"alert-of-{article}",
    }


def digest(*articles: str) -> str:
    topics = [{"topic": "truce", "stories": [entry(one) for one in articles]}]
    return json.dumps({"type": "digest", "data": {"count": len(articles), "topics": topics}})


def alert(article: str = "a", *, payload: str = '{"x": "a"}') -> Alert:
    return Alert(
        alert_id="one",
        subscription="s",
        subscription_name="s",
        article_id=article,
        story_id="story",
        title="Title of a",
        created=NOW,
        pending=("stdout:",),
        payload=payload,
    )


def test_an_alert_of_an_erased_article_says_nothing_and_is_not_sent() -> None:
    gone = emptied(alert(), ["a"], now=NOW)
    assert (gone.title, gone.payload, gone.state, gone.pending) == ("erased", "", "muted", ())
    assert gone.attempts[-1].error == "The article was erased."
    assert emptied(gone, ["a"], now=NOW) == gone
    with pytest.raises(UsageError, match="emptied"):
        refuse_to_repeat(gone)


def test_a_digest_loses_the_entry_and_keeps_the_others() -> None:
    before = alert("", payload=digest("a", "b"))
    assert speaks_of(before, ["a"])
    after = emptied(before, ["a"], now=NOW)
    assert "words of a" not in after.payload
    assert "Title of a" not in after.payload
    assert "words of b" in after.payload
    assert after.state == "waiting"
    assert not speaks_of(after, ["a"])


def test_what_does_not_speak_of_it_stays_as_it_is() -> None:
    payload = digest("b", "c")
    assert without(payload, ["a-long-id"]) == payload
    assert not speaks_of(alert("b", payload=payload), ["a-long-id"])
    assert emptied(alert("b", payload=payload), ["x-y"], now=NOW).payload == payload

"""Payloads of alerts as receivers get them: fiction of our own."""

from __future__ import annotations

from typing import Any

BASE = "https://wire.example"


def article(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An article of a payload."""
    return {
        "id": f"a{number}",
        "title": f"Harbour talks, day {number}",
        "url": f"https://port.example/{number}",
        "source": "port.example",
        "published": "2026-11-22T12:00:00.000Z",
        "seen": "2026-11-22T12:01:00.000Z",
        **changes,
    }


def matched(**changes: Any) -> dict[str, Any]:
    """An ``article.matched``; ``changes`` are of its article."""
    return {
        "type": "article.matched",
        "timestamp": "2026-11-22T12:01:00.000Z",
        "data": {
            "alert_id": "4Lx9ZkqT0mW2v8RbYc3dEg",
            "subscription": {"id": "s" * 22, "name": "truce", "query": "truce OR ceasefire"},
            "article": {
                **article(),
                "language": "en",
                "excerpt": "Negotiators agreed on a truce at the harbour.",
                **changes,
            },
            "story": {"id": "st1", "size": 3, "sources": ["port.example", "quay.example"]},
            "topics": ["ceasefire-talks"],
            "why": [{"clause": "truce", "zone": "text", "spans": [[25, 30]], "text": "a truce"}],
            "links": {
                "article": f"{BASE}/articles/a1",
                "story": f"{BASE}/stories/st1",
                "mute": f"{BASE}/subscriptions/{'s' * 22}/mute/st1",
            },
        },
    }


def grew(**changes: Any) -> dict[str, Any]:
    """A ``story.grew``."""
    return {**matched(**changes), "type": "story.grew"}


def digest(more: int = 0, **changes: Any) -> dict[str, Any]:
    """A ``digest`` of four articles in three stories under two topics."""
    why = [{"clause": "truce", "zone": "title", "spans": [[0, 5]], "text": "truce"}]

    def story(*numbers: int) -> dict[str, Any]:
        return {
            "story": f"st{numbers[0]}",
            "articles": [article(number) for number in numbers],
            "why": why,
            "alert_id": f"alert-{numbers[0]}",
        }

    groups = [
        {"topic": "ceasefire-talks", "stories": [story(1, 2), story(3)]},
        {"topic": "", "stories": [story(4)]},
    ]
    data = {
        "alert_id": "D4x9ZkqT0mW2v8RbYc3dEg",
        "subscription": {"id": "s" * 22, "name": "truce", "query": "truce"},
        "window": {"since": "2026-11-22T07:00:00.000Z", "until": "2026-11-23T07:00:00.000Z"},
        "count": 4 + more,
        "groups": groups,
        "more": more,
        "links": {"all": f"{BASE}/api/alerts", "page": f"{BASE}/alerts?digest=D4x"},
        "part": 1,
        "parts": 1,
        **changes,
    }
    return {"type": "digest", "timestamp": "2026-11-23T07:00:00.000Z", "data": data}

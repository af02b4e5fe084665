"""A payload as a block on the terminal, safe for it (row F50)."""

from __future__ import annotations

import json
from typing import Any

from ingest.clean import printable
from search.telling import counted, plain, subject


def block(payload: str) -> str:
    """The lines of a payload: title, place and reason, or all that a digest brings."""
    found: dict[str, Any] = json.loads(payload)
    lines = _digest(found) if found["type"] == "digest" else _article(found)
    return "".join(f"{printable(line)}\n" for line in lines if line.strip()) + "\n"


def _digest(payload: dict[str, Any]) -> list[str]:
    lines = plain(payload).splitlines()
    alert = payload["data"]["alert_id"]
    return [f"▌ {subject(payload)}", *(f"  {line}" for line in lines), f"  alert {alert}"]


def _article(payload: dict[str, Any]) -> list[str]:
    data = payload["data"]
    article, story = data["article"], data["story"]
    grew = payload["type"] == "story.grew"
    lines = [
        f"▌ {subject(payload) if grew else data['subscription']['name'] + ': ' + article['title']}",
        f"  {article['source']}  {(article['published'] or article['seen'] or '')[:16]}",
        f"  {article['url']}",
    ]
    if story["size"] > 1:
        sources = ", ".join(story["sources"])
        lines.append(f"  story of {counted(story['size'], 'article')}: {sources}")
    if data["topics"]:
        lines.append(f"  topics: {', '.join(data['topics'])}")
    lines += [f"  {one['clause']}: {one['text']}" for one in data["why"][:3]]
    return [*lines, f"  alert {data['alert_id']}"]

"""What a payload says to people, in plain text: for mail, chat and the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ingest.clean import cut, one_line
from search.digests import REASONS

TITLE_CHARS = 150
MAX_REASONS = 3

Data = dict[str, Any]


def subject(payload: Data) -> str:
    """One line: who asked, and what came; nothing in it can end a line (row F15)."""
    data = payload["data"]
    name = data["subscription"]["name"]
    match payload["type"]:
        case "digest":
            text = f"{name}: {counted(data['count'], 'article')}{_part(data)}"
        case "story.grew":
            size = data["story"]["size"]
            text = f"{name}: now {counted(size, 'article')}: {data['article']['title']}"
        case _:
            text = f"{name}: {data['article']['title']}"
    return cut(one_line(text), TITLE_CHARS)


def counted(number: int, noun: str) -> str:
    """``3 articles``, ``1 article``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def when(moment: str | None) -> str:
    """A time of a payload for people, to the minute."""
    return f"{moment[:10]} {moment[11:16]} UTC" if moment else ""


def about(article: Data) -> str:
    """Where and when an article appeared."""
    return ", ".join(
        filter(None, (article["source"], when(article["published"] or article["seen"])))
    )


def why(reasons: Sequence[Data]) -> str:
    """The clauses that held, and the words there, in one line."""
    return "; ".join(
        f"{one['clause']}: {one['text']}" if one["text"] != one["clause"] else one["text"]
        for one in reasons[:MAX_REASONS]
    )


def labelled(payload: Data, label: Callable[[str], str]) -> Data:
    """``payload`` for people: topics by what ``label`` calls them, not by id."""
    told = dict(payload["data"])
    if "topics" in told:
        told["topics"] = [label(one) for one in told["topics"]]
    if "groups" in told:
        told["groups"] = [{**one, "topic": label(one["topic"])} for one in told["groups"]]
    return {**payload, "data": told}


def plain(payload: Data, *, max_chars: int = 0) -> str:
    """The whole message; a digest longer than ``max_chars`` says how much it leaves out."""
    if payload["type"] == "digest":
        return "\n".join(_digest(payload["data"], max_chars))
    return "\n".join(one for one in _article(payload["data"]) if one is not None)


def _article(data: Data) -> Iterator[str | None]:
    article, story, links = data["article"], data["story"], data["links"]
    yield one_line(article["title"])
    yield one_line(about(article))
    yield one_line(article["url"]) or None
    yield ""
    if article.get("excerpt"):
        yield one_line(article["excerpt"])
        yield ""
    if data["why"]:
        yield f"Why: {one_line(why(data['why']))}"
    if story["size"] > 1:
        sources = one_line(", ".join(story["sources"]))
        yield f"Story: {counted(story['size'], 'article')} ({sources})"
        yield f"  {links['story']}"
    if data["topics"]:
        yield f"Topics: {one_line(', '.join(data['topics']))}"
    if links.get("article"):
        yield f"Read on: {links['article']}"
    if links.get("mute"):
        yield f"Mute this story: {links['mute']}"


def _digest(data: Data, max_chars: int) -> Iterator[str]:
    yield digest_line(data)
    used, left_out = 0, int(data["more"])
    for group in data["groups"]:
        heading: list[str] = ["", one_line(group["topic"] or "other").upper()]
        for story in group["stories"]:
            lines = [*heading, *_story(story)]
            size = sum(len(line) + 1 for line in lines)
            if max_chars and used + size > max_chars:
                left_out += len(story["articles"])
                continue
            used, heading = used + size, []
            yield from lines
    yield ""
    if left_out:
        yield f"and {left_out:,} more: {data['links']['page']}"
    elif data["links"].get("page"):
        yield f"All of them: {data['links']['page']}"


def digest_line(data: Data) -> str:
    """What a digest holds, from when to when."""
    window = data["window"]
    times = " to ".join(filter(None, (when(window["since"]), when(window["until"]))))
    shown = f"{counted(data['count'], 'article')}, {times}{_part(data)}"
    return f"{shown}. {REASONS.get(data.get('reason', ''), '')}".strip()


def _part(data: Data) -> str:
    parts = data.get("parts") or 1
    return f" (part {data['part']} of {parts})" if parts > 1 else ""


def _story(story: Data) -> Iterator[str]:
    first, *others = story["articles"]
    yield f"* {one_line(first['title'])}"
    yield f"  {one_line(about(first))}"
    yield f"  {one_line(first['url'])}"
    for one in others:
        yield f"  also {one_line(one['source'])}: {one_line(one['title'])}"
        yield f"    {one_line(one['url'])}"
    if story["why"]:
        yield f"  why: {one_line(why(story['why']))}"

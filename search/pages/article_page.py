"""``/articles/{id}``: one article, why it was tagged, what changed in it, and its way to here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ingest.errors import NotFoundError
from search import views
from search.caller import WhoAsks
from search.diffs import Change, changes
from search.pages.frame import Frame
from search.pages.pieces import Pieces, language_of, link_of, pieces
from search.pages.times import Moment, Times
from search.services import Services

PART_CHARS = 10_000
"""Of a text on one page; with it no page comes near 100 kB, in any script."""

TOPICS, EVIDENCE, EVIDENCE_CHARS = 8, 6, 120
REVISIONS = 50
STEPS = 30
LIST_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A topic of the article, and the words that earned it."""

    id: str
    label: str
    score: str
    band: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One part of the text in paragraphs, and where the others are."""

    paragraphs: tuple[Pieces, ...]
    number: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A revision in the list of them; ``compared`` where its page shows what it changed."""

    number: int
    seen: Moment | None
    compared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the way through the stages."""

    stage: str
    at: Moment | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a revision changed."""

    number: int
    title: tuple[Change, ...]
    text: tuple[Change, ...]
    cut: bool


def article_page(services: Services, frame: Frame) -> APIRouter:
    """The page of an article."""
    router = APIRouter(prefix="/articles")

    @router.get("/{article_id}", response_class=HTMLResponse)
    def article(
        request: Request, who: WhoAsks, article_id: str, part: int = 1, revision: int = 0
    ) -> HTMLResponse:
        """One article, or what its revision ``revision`` changed."""
        found = views.article(services.log, services.index(), article_id, who=who)
        times = frame.times(request)
        labels = {one.id: one.label for one in services.topics}
        spans = list(_evidence(found["topic_tags"]))
        return frame.page(
            request,
            "article.html",
            id=article_id,
            title=pieces(found["title"] or "(no title)", (s for z, s in spans if z == "title")),
            lang=language_of(found["language"] or found["language_declared"]),
            url=link_of(found["url"]),
            source=found["source"],
            authors=", ".join(found["authors"])[:LIST_CHARS],
            seen=times.moment(found["seen"]),
            published=times.moment(found["published"]),
            story_id=found["story_id"],
            others=found["story_size"] - 1,
            tags=tuple(_tags(found["topic_tags"], labels)),
            text=part_of(found["text"], [s for z, s in spans if z != "title"], number=part),
            versions=tuple(_versions(found, times)),
            comparison=_comparison(found, revision) if revision else None,
            steps=tuple(_steps(found["journey"], times)),
            notes=found["notes"][:10],
            mark=services.marks.of(who.owner, [article_id]).get(article_id),
        )

    return router


def _evidence(tags: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Sequence[int]]]:
    for tag in tags:
        if tag["band"] == "tag":
            for one in tag["evidence"]:
                yield from ((one["zone"], span) for span in one["spans"])


def _tags(tags: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> Iterator[Tag]:
    for tag in tags[:TOPICS]:
        ranked = sorted(tag["evidence"], key=lambda one: -float(one["points"]))
        words = dict.fromkeys(one["text"][:EVIDENCE_CHARS] for one in ranked if one["text"])
        yield Tag(
            id=tag["topic"],
            label=labels.get(tag["topic"], tag["topic"]),
            score=f"{tag['score']:.0%}",
            band=tag["band"],
            words=tuple(words)[:EVIDENCE],
        )


def part_of(text: str, spans: Sequence[Sequence[int]], *, number: int) -> Text:
    """Part ``number`` of ``text``, with what lies in ``spans`` marked."""
    starts = _parts(text)
    number = min(max(number, 1), len(starts))
    begin = starts[number - 1]
    end = starts[number] if number < len(starts) else len(text)
    found, place = [], begin
    for line in text[begin:end].split("\n"):
        inside = [(start - place, stop - place) for start, stop in spans if stop > place]
        if line.strip():
            found.append(pieces(line, [(max(0, a), b) for a, b in inside if a < len(line)]))
        place += len(line) + 1
    return Text(paragraphs=tuple(found), number=number, count=len(starts))


def _parts(text: str) -> list[int]:
    """Where each part begins: behind a paragraph or a blank, where there is one."""
    starts = [0]
    while len(text) - starts[-1] > PART_CHARS:
        begin, end = starts[-1], starts[-1] + PART_CHARS
        half = begin + PART_CHARS // 2
        cut = max(text.rfind("\n", half, end), -1)
        if cut < 0:
            cut = text.rfind(" ", half, end)
        starts.append(cut + 1 if cut > 0 else end)
    return starts


def _versions(found: Mapping[str, Any], times: Times) -> Iterator[Version]:
    """The revisions, newest first; each that can be compared with the one before it."""
    known = [one for one in found["revisions"] if one["text"]]
    numbers = {one["number"] for one in known}
    revised = [*found["revisions"], {"number": found["revision"], "seen": None}]
    for one in reversed(revised[-REVISIONS:]):
        is_current = one["number"] == found["revision"]
        yield Version(
            number=one["number"],
            seen=times.moment(one["seen"]),
            compared=one["number"] - 1 in numbers and (is_current or one["number"] in numbers),
        )


def _comparison(found: Mapping[str, Any], number: int) -> Comparison:
    texts = {one["number"]: one for one in found["revisions"] if one["text"]}
    texts[found["revision"]] = found
    if number not in texts or number - 1 not in texts:
        raise NotFoundError(
            f"the texts of revision {number} and the one before it are not both kept",
            hint="Open the article without ?revision=.",
        )
    before, after = texts[number - 1], texts[number]
    text, cut = shortened(changes(before["text"], after["text"]))
    title = () if before["title"] == after["title"] else changes(before["title"], after["title"])
    return Comparison(number=number, title=tuple(title), text=text, cut=cut)


def shortened(found: Sequence[Change]) -> tuple[tuple[Change, ...], bool]:
    """As many of the changes as there is room for on a page, and whether some are left out."""
    kept: list[Change] = []
    room = PART_CHARS
    for one in found:
        room -= len(one.text) + 10
        if room < 0:
            return tuple(kept), True
        kept.append(one)
    return tuple(kept), False


def _steps(journey: Sequence[Mapping[str, Any]], times: Times) -> Iterator[Step]:
    for one in journey[:STEPS]:
        at = times.moment(one["at"])
        yield Step(stage=one["stage"], at=at, sentence=one["sentence"][:LIST_CHARS])

"""A user's list of feeds, OPML or one address a line: what can be polled, what not and why."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.errors import FileError, UsageError
from ingest.feeds import Feed, make_feed
from ingest.opml import Outline, read_opml

MAX_GROUPS = 20
"""Of one feed: groups travel in every article."""

_DECLARED = re.compile(r"^<\?xml[^>]*\?>")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A line of a list that names no feed we can poll."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReport:
    """What a list holds.

    Attributes:
        added: New feeds, each once, in order.
        skipped: Addresses that were known before or that the list repeats.
        refused: Lines that cannot be polled, each with its reason.
    """

    added: tuple[Feed, ...] = ()
    skipped: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


def read_feed_list(
    data: bytes | str, place: str, *, added: datetime, known: Collection[str] = ()
) -> ListReport:
    """The feeds that ``data`` (a file's content, named ``place`` in messages) lists.

    ``known`` holds the ids of feeds that are there already; ``added`` is now. A feed that the
    list names in two folders is given once, with both as groups.

    Raises:
        FileError: the file as a whole cannot be read; nothing of it is used.
    """
    if isinstance(data, str):
        # Decoded already: whatever charset the XML declaration names is no longer true.
        data = _DECLARED.sub("", data.lstrip("\ufeff \t\r\n"), count=1).encode()
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or data.startswith(_UTF16_MARKS):
        outlines = read_opml(data.lstrip(b" \t\r\n"), place=place)
    else:
        outlines = _read_lines(data, place=place)
    return _report(outlines, added=added, known=known)


def _read_lines(raw: bytes, *, place: str) -> list[Outline]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FileError(
            f"{place}: not UTF-8 at line {line}",
            sentence=f"{place}, line {line}: this is not text in UTF-8. Nothing was imported.",
            hint="Give an OPML file or a text file with one address a line.",
            place=f"{place}:{line}",
        ) from error
    found = []
    for number, written in enumerate(text.split("\n"), start=1):
        url = written.split(" #", 1)[0].split("\t#", 1)[0].strip()
        if url and not url.startswith("#"):
            found.append(Outline(url=url, line=number))
    return found


def _report(outlines: Sequence[Outline], *, added: datetime, known: Collection[str]) -> ListReport:
    feeds: dict[str, Feed] = {}
    groups: dict[str, dict[str, None]] = {}
    skipped: list[str] = []
    refused: list[Refused] = []
    for outline in outlines:
        try:
            feed = make_feed(outline.url, added=added, title=outline.title)
        except UsageError as error:
            text, reason = outline.url[:200], error.sentence
            refused.append(Refused(line=outline.line, text=text, reason=reason))
            continue
        if feed.id in feeds or feed.id in known:
            skipped.append(feed.url)
        feeds.setdefault(feed.id, feed)
        groups.setdefault(feed.id, {}).update(dict.fromkeys(outline.groups))
    return ListReport(
        added=tuple(
            dataclasses.replace(feed, groups=tuple(groups[feed.id])[:MAX_GROUPS])
            for feed in feeds.values()
            if feed.id not in known
        ),
        skipped=tuple(skipped),
        refused=tuple(refused),
    )

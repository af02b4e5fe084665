"""The record of an article whose text changed: the new text, and the earlier ones that fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ingest.log import MAX_RECORD_BYTES
from ingest.wire import encode
from processors.records import Revision, StoryRecord, Tagged

MAX_REVISIONS = 100
"""Earlier texts kept; a page that changes at every poll would fill its record with them."""

_STORY_BYTES = MAX_RECORD_BYTES - 1_000
"""Of an encoded ``stories`` value: room is left for the key."""

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(hours=24)
"""An article claims a date from 1990 to a day after it was seen; other claims are mistakes."""


def is_edit(tagged: Tagged, story: StoryRecord) -> bool:
    """Whether the text differs from the last one and comes after it.

    A sighting of an earlier poll, delivered late, takes no edit back. Poll numbers begin anew
    where a feed is added again, and clocks jump: only both together tell an earlier one.
    """
    content = tagged.article.content_hash
    if content == story.article.content_hash:
        return False
    if tagged.poll <= story.poll and tagged.fetched < story.fetched:
        return False
    return not any(
        revision.content_hash == content and revision.fetched == tagged.fetched
        for revision in story.revisions
    )


def revised(tagged: Tagged, story: StoryRecord, appended: datetime) -> StoryRecord:
    """``story`` with the new text; full text that came later is no edit by the publisher."""
    last = story.article
    earlier = Revision(
        number=last.revision,
        title=last.title,
        text=last.text,
        seen=story.revised or last.seen or appended,
        content_hash=last.content_hash,
        fetched=story.fetched,
    )
    article = replace(
        tagged.article,
        feeds=last.feeds,
        groups=last.groups,
        published=credible(tagged.article.published or last.published, last.seen or appended),
        seen=last.seen,
        revision=last.revision + (tagged.cause != "fulltext"),
    )
    return replace(
        story,
        article=article,
        change="revision",
        fetched=tagged.fetched,
        poll=tagged.poll,
        revised=appended,
        topics=tagged.topics,
        revisions=(*story.revisions, earlier)[-MAX_REVISIONS:],
    )


def fitted(story: StoryRecord) -> StoryRecord:
    """``story`` within the log's limit: the oldest texts go first."""
    revisions = list(story.revisions)
    for place, revision in enumerate(revisions):
        if len(encode(story)) <= _STORY_BYTES:
            break
        revisions[place] = replace(revision, text="")
        story = replace(story, revisions=tuple(revisions))
    return story


def credible(claimed: datetime | None, seen: datetime) -> datetime:
    """The time an article claims, where that can be, else when it was seen."""
    return claimed if claimed and _EARLIEST <= claimed <= seen + _AHEAD else seen

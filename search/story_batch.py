"""What a run of records asks of the index. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.errors import MalformedRecordError
from ingest.log import Log, Partition, Record
from ingest.wire import decode
from processors.links import Links
from processors.records import StoryLink, StoryRecord
from search.checkpoints import LINKS, STORIES
from search.index import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A record that cannot be indexed, and why."""

    record: Record
    why: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The documents and merges of a run of records.

    Attributes:
        removed: Ids of articles that were erased.
        counted: The places of records that brought a new article or a revision.
    """

    records: Sequence[Record]
    stories: Sequence[StoryRecord]
    merges: Mapping[str, str]
    removed: frozenset[str]
    faults: Sequence[Fault]
    counted: frozenset[tuple[Partition, int]]

    def reached(self, before: Checkpoint) -> Checkpoint:
        """The checkpoint behind these records; never before ``before``."""
        stories, links = dict(before.stories), before.links
        for record in self.records:
            topic, number = record.partition
            if topic == STORIES:
                stories[number] = max(stories.get(number, 0), record.offset + 1)
            else:
                links = max(links, record.offset + 1)
        return replace(before, stories=stories, links=links)

    def rejected(self, reasons: Mapping[str, str]) -> list[Fault]:
        """The records of the articles that the index refused."""
        last = {one.key: one for one in self.records if one.partition.topic == STORIES}
        return [
            Fault(
                record=last[name],
                why=f"The index refused this article: {reason}",
                code="index-refused",
            )
            for name, reason in reasons.items()
        ]


def batch_of(
    records: Sequence[Record], links: Links, erased: Container[str] = frozenset()
) -> Batch:
    """What ``records`` ask for; their merges are added to ``links``.

    Articles in ``erased`` are never written, whatever ``records`` say.

    Raises:
        NewerSchemaError: a record was made by a newer version.
    """
    stories: list[StoryRecord] = []
    removed: set[str] = set()
    merged: list[StoryLink] = []
    faults: list[Fault] = []
    counted: set[tuple[Partition, int]] = set()
    for record in records:
        if record.value is None:
            if record.partition != LINKS:
                removed.add(record.key)
            continue
        try:
            if record.partition == LINKS:
                merged.append(decode(StoryLink, record.value))
                continue
            story = _story(record)
        except MalformedRecordError as error:
            faults.append(Fault(record=record, why=error.sentence, code=error.code))
            continue
        stories.append(story)
        if story.change in ("new", "revision"):
            counted.add((record.partition, record.offset))
    for link in merged:
        links.add(link)
    return Batch(
        records=records,
        stories=[
            replace(one, story_id=links.resolve(one.story_id))
            for one in stories
            if one.article.id not in removed and one.article.id not in erased
        ],
        removed=frozenset(removed),
        merges={link.story_id: links.resolve(link.story_id) for link in merged},
        faults=faults,
        counted=frozenset(counted),
    )


def _story(record: Record) -> StoryRecord:
    story = decode(StoryRecord, record.value or b"")
    if story.article.id != record.key:
        raise MalformedRecordError(
            f"the record of {record.key} holds the article {story.article.id}"
        )
    return story


def read_links(log: Log) -> Links:
    """All merges so far, in their order."""
    found = [
        decode(StoryLink, record.value)
        for record in log.table(LINKS.topic).items()
        if record.value is not None
    ]
    links = Links()
    for link in sorted(found, key=lambda link: (link.order, link.story_id)):
        links.add(link)
    return links

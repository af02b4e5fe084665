"""The loops of this stage: tagging (embedded; agents in the cluster) and the register."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.log import Log, NewRecord, Partition, Record
from ingest.quarantine import Quarantine
from ingest.wire import decode, encode
from processors.erasures import TOPIC, Erasure, Erasures
from processors.known import Known
from processors.links import Links
from processors.loop import Loop, Stage
from processors.records import Decision, StoryRecord, Tagged
from processors.register import Outcome, Register
from processors.restoring import TAGGED, restored
from processors.settings import StoriesSettings
from processors.stories import Window
from processors.tagging import Tagging, value_of
from processors.tagging_process import TaggingProcess
from processors.topic_source import TopicFile

__all__ = ["Counts", "Registrar", "Tagger", "TopicFile"]


@dataclass(slots=True)
class Counts:
    """What the register decided since it started; for totals and metrics."""

    articles: int = 0
    revisions: int = 0
    duplicates: int = 0
    copies: int = 0
    stories: int = 0
    tagged: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.articles += outcome.verdict == "article"
        self.revisions += outcome.verdict == "revision"
        self.duplicates += outcome.verdict == "duplicate"
        story = outcome.story
        if story and outcome.verdict == "article":
            self.copies += bool(story.copy_of)
            self.stories += story.story_id == story.article.id
            self.tagged += any(one.band == "tag" for one in story.topics)


class Tagger:
    """Reads ``articles``, writes ``tagged``; every article by the topics in force."""

    def __init__(
        self,
        log: Log,
        *,
        quarantine: Quarantine,
        process: TaggingProcess | None = None,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tagging = Tagging(log, process)
        stage = Stage(
            name="tag",
            group="tag",
            topic="articles",
            crash_name="K3",
            work=self._tagging.work,
            begun=self._tagging.begin,
        )
        self.loop = Loop(log, stage, quarantine=quarantine, crash_point=crash_point)

    def step(self, timeout_seconds: float = 1.0) -> int:
        """Tag one batch; see ``Loop.step``."""
        return self.loop.step(timeout_seconds)

    def run(self, stop: threading.Event) -> None:
        """Tag until ``stop`` is set; see ``Loop.run``."""
        self._tagging.warm_up()
        self.loop.run(stop)


class Registrar:
    """Reads ``tagged``, writes ``decisions``, ``story-links`` and ``stories``, in this order.

    Attributes:
        counts: What was decided since the start.
    """

    def __init__(
        self,
        log: Log,
        settings: StoriesSettings | None = None,
        *,
        quarantine: Quarantine,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._hours = (settings or StoriesSettings()).window_hours
        self._decisions = Known(Decision, log.table("decisions"))
        self._stories = Known(StoryRecord, log.table("stories"))
        self._erasures = Erasures(log)
        self.counts = Counts()
        self._register = self._new_register(Links())
        stage = Stage(
            name="group",
            group="register",
            topic=TAGGED.topic,
            crash_name="K4",
            work=self._decide,
            begun=self._begin,
            written=self._forget,
            assigned=self._restore,
        )
        self.loop = Loop(log, stage, quarantine=quarantine, crash_point=crash_point)

    def step(self, timeout_seconds: float = 1.0) -> int:
        """Decide on one batch; see ``Loop.step``."""
        return self.loop.step(timeout_seconds)

    def run(self, stop: threading.Event) -> None:
        """Decide until ``stop`` is set; see ``Loop.run``."""
        self.loop.run(stop)

    def _begin(self, records: Sequence[Record]) -> None:
        self._erasures.read()
        keys = {record.key for record in records}
        self._decisions.read(keys)
        self._stories.read(keys)

    def _decide(self, record: Record) -> Sequence[NewRecord]:
        if record.value is None and record.key in self._erasures:
            return self._erase(record.key)
        tagged = decode(Tagged, value_of(record))
        if erasure := self._erasures.of(tagged.article):
            return self._drop(tagged, erasure)
        outcome = self._register.decide(tagged, order=record.offset, appended=record.appended)
        key = tagged.article.id
        if outcome.decision:
            self._decisions.put(key, outcome.decision)
        if outcome.story:
            self._stories.put(key, outcome.story)
        self.counts.add(outcome)
        return _written(key, outcome)

    def _erase(self, key: str) -> Sequence[NewRecord]:
        """What is known of an erased article goes; see ``search.erasing``."""
        self._register.forget(key)
        return [NewRecord(topic=topic, key=key, value=None) for topic in ("decisions", "stories")]

    def _drop(self, tagged: Tagged, erasure: Erasure) -> Sequence[NewRecord]:
        """An erased article was seen again: all that is kept of it is that it was."""
        seen = replace(
            erasure,
            ids=tuple(dict.fromkeys((*erasure.ids, tagged.article.id))),
            skipped=erasure.skipped + 1,
        )
        self._erasures.put(seen)
        self.counts.add(Outcome(verdict="duplicate"))
        return [NewRecord(topic=TOPIC, key=seen.article_id, value=encode(seen))]

    def _restore(self, _partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        self._forget()
        links, decisions = restored(self._log, group="register", hours=self._hours)
        self._register = self._new_register(links)
        for decision in decisions:
            self._register.restore(decision)
        return {}

    def _forget(self) -> None:
        self._decisions.forget()
        self._stories.forget()

    def _new_register(self, links: Links) -> Register:
        return Register(
            decisions=self._decisions.get,
            stories=self._stories.get,
            window=Window(self._hours),
            links=links,
        )


def _written(key: str, outcome: Outcome) -> list[NewRecord]:
    records = []
    if outcome.decision:
        records.append(NewRecord(topic="decisions", key=key, value=encode(outcome.decision)))
    records += [
        NewRecord(topic="story-links", key=link.story_id, value=encode(link))
        for link in outcome.links
    ]
    if outcome.story:
        records.append(NewRecord(topic="stories", key=key, value=encode(outcome.story)))
    return records

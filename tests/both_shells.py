"""Real feeds through the embedded shell, the distributed one, and its order replayed embedded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.log import Partition
from search.subscriptions import Subscription, shard_of
from tests.real_feeds import Sites
from tests.real_queries import questions
from tests.same_answers import (
    Answers,
    alerted,
    asked,
    differences,
    differences_of_content,
    fickle,
    unheard,
)
from tests.two_shells import Job, all_of, on_many_machines, on_one_machine, replayed

ONCE_A_STORY = (
    "topic:ceasefire-talks",
    "topic:arms-transfers",
    "police",
    '"prime minister" OR president',
    "title:(court OR trial)",
    "govern* NEAR/10 announc*",
    "market* NOT stock*",
    "lang:de",
    "ATLEAST/2(war peace talks troops)",
)
OF_EACH_ARTICLE = (
    "trump",
    "election* OR vote*",
    '"climate change" OR warming',
    "said SAMESENT minister",
    "=China OR =India",
    "health -insurance",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The answers of all three, and what carrying took.

    Attributes:
        one, many: Each with an order of arrival of its own.
        again: Embedded, in the order of ``many``.
        records: Of the distributed shell, what each process of a stage handled.
        seconds: By what took them.
    """

    one: Answers
    many: Answers
    again: Answers
    records: Mapping[str, Sequence[int]]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def differences(self) -> list[str]:
        """Every difference there is; none is right."""
        return [
            *(f"order of its own: {one}" for one in differences_of_content(self.one, self.many)),
            *(f"same order: {one}" for one in differences(self.many, self.again)),
            *(f"embedded: {one}" for one in unheard(self.one)),
            *(f"distributed: {one}" for one in unheard(self.many)),
            *(f"replayed: {one}" for one in unheard(self.again)),
        ]

    def figures(self) -> dict[str, int]:
        """How much was compared."""
        many, again = self.many, self.again
        named = {one.alert_id: one.article_id for one in again.alerts}
        alike = set(self.one.members.values()) & set(many.members.values())
        return {
            "feeds": len(many.feeds),
            "articles": len(many.stories),
            "in several feeds": sum(len(one.article.feeds) > 1 for one in many.stories.values()),
            "first in another feed": len(fickle(self.one, many)),
            "tagged": sum(bool(one.topics) for one in many.stories.values()),
            "evidence": sum(
                len(tag.evidence) for one in many.stories.values() for tag in one.topics
            ),
            "stories": len(many.members),
            "stories alike in both orders": len(alike),
            "merges": len(many.records["story-links"]),
            "searches": len(many.found),
            "hits": sum(len(one.ids) for one in many.found),
            "searches that find": sum(bool(one.ids) for one in many.found),
            "alerts": len(many.alerts),
            "alerts of one machine": len(self.one.alerts),
            "alerted": len(alerted(many)),
            "alerts that name another article of the story": sum(
                named.get(one.alert_id, one.article_id) != one.article_id for one in many.alerts
            ),
        }


async def compared(
    sites: Sites,
    folder: Path,
    *,
    kafka: str,
    elastic: Mapping[str, str],
    searches: int,
    seconds: float,
) -> Compared:
    """Carry the feeds three times, asking the same each time; ``seconds`` for each at most."""
    folders = [folder / name for name in ("one", "many", "again")]
    for each in folders:
        each.mkdir()
    job = Job(sites=sites, subscriptions=subscriptions(), seconds=seconds)
    watch = Watch()
    async with on_one_machine(job, folders[0]) as (shell, work):
        watch.note("embedded", work.seconds)
        stories = asked(shell, folders[0], ()).stories
        chosen = questions([*stories.values()], count=searches)
        watch.begin()
        one = await asyncio.to_thread(asked, shell, folders[0], chosen)
        watch.note("asking the embedded")
    async with on_many_machines(job, folders[1], kafka=kafka, elastic=elastic) as (shell, work):
        watch.begin()
        watch.note("distributed", work.seconds)
        many = await asyncio.to_thread(asked, shell, folders[1], chosen)
        tagged = all_of(shell.log, Partition("tagged"))
        watch.note("asking the distributed")
    watch.begin()
    async with replayed(job, folders[2], tagged) as shell:
        watch.note("replayed")
        again = await asyncio.to_thread(asked, shell, folders[2], chosen)
        watch.note("asking the replayed")
    return Compared(one=one, many=many, again=again, records=work.records, seconds=watch.seconds)


def subscriptions() -> tuple[Subscription, ...]:
    """Queries as press watchers write them."""
    return tuple(
        Subscription(
            id=f"subscription-{number}",
            name=query,
            query=query,
            to=(),
            every_article=query in OF_EACH_ARTICLE,
            shard=shard_of(f"subscription-{number}"),
            created=datetime.now(UTC),
        )
        for number, query in enumerate((*ONCE_A_STORY, *OF_EACH_ARTICLE))
    )


class Watch:
    """Seconds by what took them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.begin()

    def begin(self) -> None:
        self._since = time.monotonic()

    def note(self, what: str, seconds: float | None = None) -> None:
        now = time.monotonic()
        self.seconds[what] = round(now - self._since if seconds is None else seconds, 1)
        self._since = now

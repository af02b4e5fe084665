"""What the tests of alerts share: a log, stories in it, an owner and a sender over it."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from ingest.article import Article, Cause
from ingest.connections import Connections
from ingest.guard import Guard
from ingest.log import Log, NewRecord, TopicSpec, topic_specs
from ingest.quarantine import Quarantine
from ingest.settings import NetSettings
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.records import Change, StoryLink, StoryRecord, TopicTag
from search.alert_settings import AlertSettings
from search.alert_state import ALERT, TOPIC, Alert, State
from search.alerts import AlertOwner
from search.mail.settings import MailSettings
from search.secrets import Secrets
from search.sender import Sender
from search.subscription_store import SubscriptionStore

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TEXT = "Negotiators agreed on a truce at the harbour. Ships may pass from Monday."


SHARDS = 8
_COUNTS = dict.fromkeys(("subscriptions", "alert-state", "requests"), SHARDS) | {"stories": 3}
MANY = [replace(spec, partitions=_COUNTS.get(spec.name, 1)) for spec in topic_specs()]
"""Topics as they are on many machines, with fewer shards."""


@dataclass(slots=True)
class Clock:
    """A clock that a test moves."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        self.now += timedelta(**time)


def story(
    name: str,
    text: str = TEXT,
    *,
    title: str = "Harbour talks end",
    story_id: str = "",
    order: int = 0,
    cause: Cause = "live",
    change: Change = "new",
    absorbed: tuple[str, ...] = (),
    topics: tuple[TopicTag, ...] = (),
    sources: tuple[str, ...] = ("example.org",),
) -> StoryRecord:
    """A record of ``stories`` as the register writes it."""
    article = Article(
        id=name,
        feed_id="feed-a",
        feeds=("feed-a",),
        source="example.org",
        url=f"https://example.org/{name}",
        title=title,
        text=text,
        language="en",
        published=START,
        seen=START,
        revision=1,
    )
    return StoryRecord(
        article=article,
        order=order,
        change=change,
        cause=cause,
        fetched=START,
        story_id=story_id or name,
        absorbed=absorbed,
        topics=topics,
        size=len(sources),
        sources=sources,
    )


@dataclass(frozen=True, slots=True)
class Everything:
    """All shards are ours, however many there are."""

    partitions: int
    is_shared: bool = True

    def held(self) -> Mapping[int, int]:
        return dict.fromkeys(range(self.partitions), 0)

    def holds(self, shard: int, generation: int) -> bool:
        return shard < self.partitions and generation == 0


@dataclass(kw_only=True)
class Newsdesk:
    """Subscriptions, owner and sender over one log in ``folder``."""

    folder: Path
    allow: tuple[str, ...] = ("127.0.0.1:*",)
    settings: AlertSettings = field(default_factory=AlertSettings)
    clock: Callable[[], datetime] = field(default_factory=lambda: lambda: datetime.now(UTC))
    crash_point: Callable[[str], None] = lambda _: None
    connections: Connections | None = None
    mail: MailSettings | None = None
    stdout: io.StringIO = field(default_factory=io.StringIO)
    given: Log | None = None
    specs: Sequence[TopicSpec] = field(default_factory=topic_specs)
    wait_seconds: float = 0  # a server's answer takes its time

    def __post_init__(self) -> None:
        self.log: Log = self.given or SqliteLog(self.folder / "log.sqlite")
        self.log.ensure_topics(self.specs)
        self.guard = Guard(NetSettings(allow=self.allow))
        self.secrets = Secrets(self.folder / "secrets")
        self.quarantine = Quarantine(self.log, self.folder / "quarantine")
        self.store = SubscriptionStore(
            self.log, secrets=self.secrets, guard=self.guard, folder=self.folder / "out"
        )
        self.sender = self.new_sender()
        self.owner = self.new_owner()

    def new_sender(self, **changes: Any) -> Sender:
        given: dict[str, Any] = {
            "settings": self.settings,
            "shards": Everything(self.log.partitions(TOPIC)),
            "guard": self.guard,
            "secrets": self.secrets,
            "connections": self.connections,
            "mail": self.mail,
            "stdout": self.stdout,
            "crash_point": self.crash_point,
            "clock": self.clock,
            "chance": lambda: 0.0,
        }
        return Sender(self.log, **(given | changes))

    def new_owner(self, **changes: Any) -> AlertOwner:
        given: dict[str, Any] = {
            "settings": self.settings,
            "shards": Everything(self.log.partitions(TOPIC)),
            "quarantine": self.quarantine,
            "wake": self.woken,
            "changed": self.changed,
            "crash_point": self.crash_point,
            "clock": self.clock,
        }
        return AlertOwner(self.log, **(given | changes))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sender.close()
        self.close()

    def close(self) -> None:
        self.owner.close()
        self.log.close()

    def woken(self, alert_ids: Sequence[str]) -> None:
        """Wake the sender of now; a test may have put another in place."""
        self.sender.notify(alert_ids)

    def changed(self, subscription_id: str, muted: Collection[str]) -> None:
        """Tell the sender of now."""
        self.sender.changed(subscription_id, muted)

    def publish(self, *stories: StoryRecord) -> None:
        """Append stories as the register does."""
        self.log.append(
            [NewRecord(topic="stories", key=one.article.id, value=encode(one)) for one in stories]
        )

    def link(self, story_id: str, survivor: str, *, order: int = 0) -> None:
        """Merge a story into an older one."""
        value = encode(StoryLink(story_id=story_id, survivor=survivor, order=order))
        self.log.append([NewRecord(topic="story-links", key=story_id, value=value)])

    def subscribe(self, name: str, query: str = "truce", to: str = "stdout:", **more: Any) -> str:
        """The id of a new subscription."""
        return self.store.add(name=name, query=query, to=[to], **more).id

    def settle(self) -> None:
        """Let the owner handle all there is."""
        while self.owner.lag():
            self.owner.step(self.wait_seconds)

    def alerts(self) -> list[Alert]:
        """Every alert, by id."""
        items = self.log.table(TOPIC).items(ALERT)
        return [decode(Alert, record.value or b"") for record in items]

    def rename(self, which: str, **changes: Any) -> None:
        """Edit a subscription."""
        self.store.edit(which, **changes)

    def retime(self, which: str, **changes: Any) -> None:
        """Edit when a subscription's alerts go, as the store writes it."""
        before = self.store.get(which)
        after = replace(before, version=before.version + 1, **changes)
        number = after.shard % self.log.partitions("subscriptions")
        self.log.append(
            [NewRecord(topic="subscriptions", key=after.id, value=encode(after), partition=number)]
        )
        self.settle()

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """The sender at work for the length of the block, as a shell runs it."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.sender.run(stop))
        try:
            yield
        finally:
            stop.set()
            await running

    async def until(
        self, holds: Callable[[list[Alert]], bool], *, look_seconds: float = 0.02
    ) -> list[Alert]:
        """The alerts, as soon as they are so. Needs ``sending``."""
        async with asyncio.timeout(20):
            while not holds(found := self.alerts()):
                self.sender.notify([])  # the clock may have been moved
                await asyncio.sleep(look_seconds)
        return found

    async def until_all(self, state: State, *, look_seconds: float = 0.02) -> list[Alert]:
        """The alerts, as soon as each is in ``state``. Needs ``sending``."""
        return await self.until(
            lambda found: {one.state for one in found} == {state}, look_seconds=look_seconds
        )


def revised(before: StoryRecord, text: str) -> StoryRecord:
    """The next revision of an article."""
    article = replace(before.article, text=text, revision=before.article.revision + 1)
    return replace(before, article=article, change="revision", order=before.order + 1)


class Running:
    """The owner in a thread, as the embedded shell runs it."""

    def __init__(self, owner: AlertOwner) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=owner.run, args=(self._stop,))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

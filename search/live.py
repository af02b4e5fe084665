"""Alerts as they happen, for everybody who listens: one follower of the log feeds all streams.

A place in the log is the id of an event, so that whoever lost a connection goes on behind the
last event that arrived, here or at another process. A reader who does not keep up is let go and
resumes in the same way.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from ingest.errors import UnavailableError
from ingest.log import Log
from search.live_events import Event, LiveLog, Place, heartbeat, hello, story_event

LOOK_SECONDS = 0.25
"""Between two looks at the log while anybody listens; a look that finds nothing costs little."""

STORY_SECONDS = 1.0
"""Between two words of new articles."""

HEARTBEAT_SECONDS = 15.0
"""A stream that says nothing for longer is taken for dead by proxies."""

STREAM_SECONDS = 300.0
"""How long one answer lasts: whoever comes again is asked again who they are."""

MAX_STREAMS = 4_000
"""Open at a time: each holds a connection."""

MAX_WAITING = 100
"""Batches that wait for one slow reader; then it is let go."""

GROUP = 50
"""Streams that are told before others get a turn: deliveries share the event loop."""

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """From where on a stream tells; ``is_anew`` where what lies before cannot be told."""

    place: Place
    is_anew: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class _Listener:
    """One open stream: what waits for it."""

    sees: Callable[[str], bool]
    wants_stories: bool
    place: Place
    waiting: deque[tuple[Event, ...]] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def tell(self, events: tuple[Event, ...], place: Place) -> None:
        """Let ``events`` wait, which lie before ``place``; one that does not keep up is let go."""
        self.place = place
        events = tuple(one for one in events if self.may_see(one))
        if not events:
            return
        if len(self.waiting) >= MAX_WAITING:
            self.end()
            return
        self.waiting.append(events)
        self.woken.set()

    def end(self) -> None:
        """Let it go."""
        self.is_over = True
        self.woken.set()

    def take(self) -> bytes:
        """The text of all that waits and may be seen."""
        found = b"".join(one.text for events in self.waiting for one in events)
        self.waiting.clear()
        self.woken.clear()
        return found

    def may_see(self, event: Event) -> bool:
        """Whether ``event`` is for this one."""
        return self.sees(event.owner) if event.owner else self.wants_stories


class Live:
    """Streams of alerts over one log. For one event loop; it follows while anybody listens."""

    def __init__(self, log: Log) -> None:
        self._log = LiveLog(log)
        self._stories = _Stories(self._log)
        self._listeners: set[_Listener] = set()
        self._place: Place = ()
        self._wanted = asyncio.Event()
        self._looked = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    async def begin(self, last_event_id: str) -> Start:
        """Where a stream begins: behind that event, or now.

        Raises:
            UnavailableError: the log cannot be read, or too many streams are open.
        """
        if self._is_closed or len(self) >= MAX_STREAMS:
            raise UnavailableError("too many streams are open", hint="Try again later.")
        place, is_anew = await asyncio.to_thread(self._log.begin, last_event_id)
        return Start(place=place, is_anew=is_anew)

    async def events(
        self, start: Start, sees: Callable[[str], bool], *, stories: bool = False
    ) -> AsyncGenerator[bytes]:
        """What came since ``start`` and what comes, as text of ``text/event-stream``.

        ``sees`` says whether what belongs to an owner may be shown. ``stories`` also tells, at
        most once a second, of records written for articles.
        """
        listener = _Listener(sees=sees, wants_stories=stories, place=start.place)
        until = time.monotonic() + STREAM_SECONDS
        try:
            yield hello(start.place, is_anew=start.is_anew)
            await self._reach(start.place)
            # Nothing can happen before the next await: what comes is neither lost nor told twice.
            joined = self._place
            if not any(one.wants_stories for one in self._listeners):
                self._stories.forget()
            self._listeners.add(listener)
            self._wanted.set()  # the follower rests where nobody listens, also at this very place
            missed = await asyncio.to_thread(self._log.between, start.place, joined)
            yield b"".join(one.text for one in missed if listener.may_see(one))
            while not (listener.is_over or self._is_closed) and time.monotonic() < until:
                with suppress(TimeoutError):
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await listener.woken.wait()
                yield listener.take() if listener.waiting else heartbeat(listener.place)
        except UnavailableError as error:
            _events.warning("a stream ends", reason=error.sentence)
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream now."""
        self._is_closed = True
        if self._following is None:
            return
        self._following.cancel()  # which ends the streams
        self._looked.set()

    async def _reach(self, place: Place) -> None:
        """Wait until the follower has come to ``place``."""
        if self._following is None or self._following.done():
            self._place = ()
            self._following = asyncio.create_task(self._follow())
            self._following.add_done_callback(self._let_go)
        while not self._is_closed and _is_before(self._place, place):
            if self._following.done():
                raise UnavailableError("the log cannot be followed", hint="See the log.")
            self._wanted.set()
            await self._looked.wait()

    def _let_go(self, _: asyncio.Task[None]) -> None:
        self._looked.set()
        for listener in self._listeners:
            listener.end()

    async def _follow(self) -> None:
        """Look for news while anybody listens, and tell them all."""
        while True:
            try:
                await self._look()
            except UnavailableError as error:
                _events.warning("streams wait", reason=error.sentence)
            self._looked.set()
            self._looked.clear()
            await asyncio.sleep(LOOK_SECONDS)
            if not self._listeners:
                await self._wanted.wait()
            self._wanted.clear()

    async def _look(self) -> None:
        end = await asyncio.to_thread(self._log.end)
        if not self._listeners:
            self._place = end
            return
        events = await asyncio.to_thread(self._log.between, self._place, end)
        if any(one.wants_stories for one in self._listeners):
            events += await self._stories.news()
        self._place = end
        for number, listener in enumerate(tuple(self._listeners), 1):
            listener.tell(events, end)
            if number % GROUP == 0 and events:
                await asyncio.sleep(0)


class _Stories:
    """How many records were written for articles since it was last asked."""

    def __init__(self, log: LiveLog) -> None:
        self._log = log
        self._count: int | None = None
        self._asked = 0.0

    async def news(self) -> tuple[Event, ...]:
        """The word of them; nothing where there are none, or it was said just now."""
        if time.monotonic() - self._asked < STORY_SECONDS:
            return ()
        self._asked = time.monotonic()
        before, self._count = self._count, await asyncio.to_thread(self._log.stories)
        return (story_event(self._count - before),) if before and self._count > before else ()

    def forget(self) -> None:
        """Count anew: whoever asks first has seen what came while nobody asked."""
        self._count, self._asked = None, 0.0


def _is_before(mine: Place, wanted: Place) -> bool:
    return not mine or any(one < other for one, other in zip(mine, wanted, strict=True))

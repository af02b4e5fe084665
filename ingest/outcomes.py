"""What the outcome of a poll does to a feed's state: the state before in, the state after out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.feeds import Condition, FeedState, bounded, entries_in_words, words
from ingest.schedule import LONGEST_GAP, backoff_seconds, rhythm_seconds, spread
from ingest.settings import PollSettings

MOVED_POLLS, MOVED_TIME = 3, timedelta(days=1)
"""A permanent redirect is believed after both: parked domains and captive portals redirect too."""

SLOW_SECONDS = 10.0
"""A fetch that takes longer is worth a word in the feed's health."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a poll that worked found.

    Attributes:
        new: Entries that gave a sighting.
        missed: Of these, what conditional requests had hidden.
        advertised_seconds: The longest of ttl, sy:updatePeriod and max-age; 0 where none is given.
        rhythm_seconds: Usual gap by the dates in the document; used while no own figure exists.
        newest: The latest date in the document.
        full: The whole document came, so that nothing can be hidden behind a validator.
        moved_to: Where only permanent redirects led, or empty.
        finished: Entries were read and written, so the poll counts as one.
    """

    at: datetime
    elapsed_seconds: float = 0.0
    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    entries: int = 0
    new: int = 0
    missed: int = 0
    advertised_seconds: float = 0.0
    rhythm_seconds: float = 0.0
    newest: datetime | None = None
    full: bool = False
    moved_to: str = ""
    title: str = ""
    finished: bool = True


def succeeded(
    state: FeedState, answer: Answer, *, settings: PollSettings, chance: float
) -> FeedState:
    """The state after a poll that worked."""
    state = _moved(_aged(state, answer.at), answer)
    gap = _usual_gap(state, answer)
    last_new = _last_new(state, answer)
    seconds = rhythm_seconds(
        gap,
        quiet_seconds=(answer.at - last_new).total_seconds() if last_new else 0.0,
        advertised_seconds=answer.advertised_seconds,
        settings=settings,
    )
    distrusted = state.distrusted or answer.missed > 0
    condition, sentence = _described(state, answer, gap=gap)
    return bounded(
        dataclasses.replace(
            state,
            poll=state.poll + answer.finished,
            etag=answer.etag,
            last_modified=answer.last_modified,
            body_hash=answer.body_hash or state.body_hash,
            entries=answer.entries or state.entries,
            next_poll=answer.at
            + timedelta(seconds=spread(seconds, chance=chance, settings=settings)),
            interval_seconds=seconds,
            advertised_seconds=answer.advertised_seconds,
            usual_gap_seconds=gap,
            failures=0,
            last_poll=answer.at,
            last_ok=answer.at,
            last_new=last_new,
            last_full_fetch=answer.at if answer.full else state.last_full_fetch,
            state=condition,
            sentence=sentence,
            title=answer.title or state.title,
            wait_until=None,
            gone_since=None,
            distrusted=distrusted,
        )
    )


def failed(
    state: FeedState,
    *,
    at: datetime,
    sentence: str,
    settings: PollSettings,
    chance: float,
    condition: Condition = "failing",
) -> FeedState:
    """The state after a poll that gave no entries: back-off, never the end."""
    seconds = backoff_seconds(state, chance=chance, settings=settings)
    return bounded(
        dataclasses.replace(
            _aged(state, at),
            failures=state.failures + 1,
            last_poll=at,
            next_poll=at + timedelta(seconds=seconds),
            state=condition,
            sentence=sentence,
            wait_until=None,
        )
    )


def gone(state: FeedState, *, at: datetime) -> FeedState:
    """The state after 410: polling ends until a person adds the feed anew; articles stay."""
    since = state.gone_since or at
    return bounded(
        dataclasses.replace(
            state,
            state="gone",
            sentence=f"Gone since {since:%d %B %Y}: the publisher removed this feed for good.",
            gone_since=since,
            next_poll=None,
            failures=state.failures + 1,
            last_poll=at,
            wait_until=None,
        )
    )


def asked_to_wait(state: FeedState, *, at: datetime, seconds: float, chance: float) -> FeedState:
    """The state of a feed whose host wants no request for ``seconds`` (see ``refusals``)."""
    until = at + timedelta(seconds=seconds)
    # Up to a minute later, and spread: the feeds of that host must not all come at that moment.
    due = until + timedelta(seconds=1 + 59 * chance)
    return bounded(
        dataclasses.replace(
            state,
            failures=state.failures + 1,
            last_poll=at,
            next_poll=due,
            wait_until=until,
            state="failing",
            sentence=f"The host asked us to wait until {until:%d %B %Y %H:%M} UTC.",
        )
    )


def held_back(state: FeedState, *, at: datetime, seconds: float, chance: float) -> FeedState:
    """The state of a feed that was not polled because another feed's answer holds its host."""
    waiting = asked_to_wait(state, at=at, seconds=seconds, chance=chance)
    return dataclasses.replace(waiting, failures=state.failures, last_poll=state.last_poll)


def _aged(state: FeedState, at: datetime) -> FeedState:
    """One day older at most, however far the clock moved; a clock set back starts the day anew."""
    if state.day_started is None or at < state.day_started:
        return dataclasses.replace(state, day_started=at)
    if at - state.day_started < timedelta(days=1):
        return state
    return dataclasses.replace(state, day=state.day + 1, day_started=at)


def _moved(state: FeedState, answer: Answer) -> FeedState:
    if not answer.moved_to or answer.moved_to == state.followed_url:
        return dataclasses.replace(state, moved_to="", moved_polls=0, moved_since=None)
    if answer.moved_to != state.moved_to or state.moved_since is None:
        return dataclasses.replace(
            state, moved_to=answer.moved_to, moved_polls=1, moved_since=answer.at
        )
    polls = state.moved_polls + 1
    if polls < MOVED_POLLS or answer.at - state.moved_since < MOVED_TIME:
        return dataclasses.replace(state, moved_polls=polls)
    return dataclasses.replace(
        state, followed_url=answer.moved_to, moved_to="", moved_polls=0, moved_since=None
    )


def _usual_gap(state: FeedState, answer: Answer) -> float:
    known = state.usual_gap_seconds
    if not answer.new:
        return known
    if state.last_new is None or state.poll == 0:
        return min(answer.rhythm_seconds, LONGEST_GAP)
    passed = max((answer.at - state.last_new).total_seconds(), 1.0)
    sample = min(passed, LONGEST_GAP) / answer.new
    return 0.7 * known + 0.3 * sample if known else sample


def _last_new(state: FeedState, answer: Answer) -> datetime | None:
    if not answer.new:
        return state.last_new
    if state.poll == 0 and answer.newest is not None:
        return min(answer.newest, answer.at)
    return answer.at


def _described(state: FeedState, answer: Answer, *, gap: float) -> tuple[Condition, str]:
    if answer.missed:
        return "ok", (
            f"A full fetch found {entries_in_words(answer.missed)} that the server had called "
            "unmodified; from now on the feed is always fetched whole."
        )
    if answer.elapsed_seconds > SLOW_SECONDS:
        return "slow", f"Answers slowly: the last poll took {words(answer.elapsed_seconds)}."
    if state.followed_url and not state.moved_to:
        return "ok", f"Moved for good to {state.followed_url}; polled there."
    rhythm = f", something new about every {words(gap)}" if gap else ""
    return "ok", f"Answers, {entries_in_words(answer.entries or state.entries)}{rhythm}."

"""When to poll a feed next, and what an answer means for it. Values in, values out.

Every function takes the state before and gives the state after. ``chance`` is a random number in
[0, 1): waits are spread by it, because feeds of one host that fail together would otherwise come
back together for ever.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from ingest.feeds import Condition, Feed, FeedState, bounded, words

ADVERTISED_MOST = 3_600.0
"""Seconds. ttl, sy:updatePeriod and max-age are lower bounds up to an hour: blog software writes
"hourly" or "daily" whatever the feed does."""

WAIT_LEAST, WAIT_MOST = 60.0, 7 * 86_400.0
"""Seconds of a Retry-After that are honoured (FAULTS, limits)."""

WAIT_UNSAID = 600.0
"""Seconds a host rests after 429 or 503 without Retry-After, times the failures in a row."""

BACKOFF_FACTOR = 4
"""A failing feed waits up to four times as long as a working one: six hours become a day. Feeds
come back from the dead, so it is never given up."""

MOVED_POLLS, MOVED_TIME = 3, timedelta(days=1)
"""A permanent redirect is believed after both: parked domains and captive portals redirect too."""

SLOW_SECONDS = 10.0
"""A fetch that takes longer is worth a word in the feed's health."""

LONGEST_GAP = 30 * 86_400.0
"""Seconds; a clock that jumped ten years must not teach a feed's rhythm."""

RETURN_FAILURES = 5
"""Failures in a row after which a followed move is undone and the user's address tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """How often feeds are polled."""

    min_seconds: Annotated[
        float, Field(gt=0, description="Shortest time between two polls of a feed, in seconds.")
    ] = 120.0
    max_seconds: Annotated[
        float,
        Field(gt=0, description="Longest time between two polls of a working feed, in seconds."),
    ] = 21_600.0
    default_seconds: Annotated[
        float,
        Field(gt=0, description="Time between polls while a feed's rhythm is unknown, in seconds."),
    ] = 900.0
    full_fetch_days: Annotated[
        float,
        Field(gt=0, description="Days after which a feed is fetched whole, whatever it claims."),
    ] = 7.0
    connections: Annotated[
        int, Field(gt=0, description="Polls under way at once, over all hosts.")
    ] = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a poll that worked found.

    Attributes:
        new: Entries that gave a sighting.
        missed: Of these, what conditional requests had hidden.
        advertised_seconds: The longest of ttl, sy:updatePeriod and max-age; 0 where none is given.
        rhythm_seconds: Usual gap by the dates in the document; used while no own figure exists.
        newest: The latest date in the document.
        full: The request carried no validators.
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


def address(feed: Feed, state: FeedState, *, url: str = "") -> str:
    """Where to poll ``feed``: the move that was believed, else ``url`` or the feed's own."""
    if state.followed_url and state.failures < RETURN_FAILURES:
        return state.followed_url
    return url or feed.url


def wants_full_fetch(state: FeedState, *, now: datetime, settings: PollSettings) -> bool:
    """Whether the next request goes without validators: weekly, or where they were caught lying."""
    if state.distrusted or state.last_full_fetch is None:
        return True
    age = now - state.last_full_fetch
    return not timedelta(0) <= age < timedelta(days=settings.full_fetch_days)


def due_in(state: FeedState, *, now: datetime, settings: PollSettings) -> float | None:
    """Seconds until ``state`` is due, whatever a clock did meanwhile; None where polling ended."""
    if state.gone_since is not None:
        return None
    if state.next_poll is None:
        return 0.0
    longest = settings.max_seconds * (BACKOFF_FACTOR if state.failures else 1)
    if state.wait_until is not None:
        longest = WAIT_MOST
    return min(max((state.next_poll - now).total_seconds(), 0.0), longest)


def hold_seconds(state: FeedState, *, now: datetime) -> float:
    """How long the feed's host still asked us to stay away; 0 where it did not."""
    if state.wait_until is None:
        return 0.0
    return min(max((state.wait_until - now).total_seconds(), 0.0), WAIT_MOST)


def revived(state: FeedState, feed: Feed) -> FeedState:
    """``state``, with polling resumed where a gone feed was added again by a person."""
    if state.gone_since is None or feed.added <= state.gone_since:
        return state
    return dataclasses.replace(state, gone_since=None, next_poll=None, state="ok", sentence="")


def succeeded(
    state: FeedState, answer: Answer, *, settings: PollSettings, chance: float
) -> FeedState:
    """The state after a poll that worked."""
    state = _moved(_aged(state, answer.at), answer)
    gap = _usual_gap(state, answer)
    last_new = _last_new(state, answer)
    seconds = _interval(gap, last_new, answer=answer, settings=settings)
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
            next_poll=answer.at + timedelta(seconds=_spread(seconds, chance, settings=settings)),
            interval_seconds=seconds,
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
    """The state after a poll that gave no entries: linear back-off, widely spread.

    Linear because exponential back-off on a long interval loses days (Media Cloud's experience).
    """
    failures = state.failures + 1
    base = state.interval_seconds or settings.default_seconds
    longest = settings.max_seconds * BACKOFF_FACTOR
    seconds = min(base * failures, longest / 1.25) * (0.75 + chance / 2)
    return bounded(
        dataclasses.replace(
            _aged(state, at),
            failures=failures,
            last_poll=at,
            next_poll=at + timedelta(seconds=max(seconds, settings.min_seconds)),
            state=condition,
            sentence=sentence,
            wait_until=None,
        )
    )


def gone(state: FeedState, *, at: datetime) -> FeedState:
    """The state after 410: polling ends, history stays."""
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
    """The state of a feed whose host wants no request for ``seconds`` (see ``wait_seconds``)."""
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


def wait_seconds(retry_after: float | None, *, failures: int) -> float:
    """How long a host rests after 429 or 503: what it asked for, within 1 minute and 7 days."""
    seconds = WAIT_UNSAID * (failures + 1) if retry_after is None else retry_after
    return min(max(seconds, WAIT_LEAST), WAIT_MOST)


def status_means(status: int) -> tuple[Condition, str]:
    """Health and sentence of a feed whose server answered ``status`` (not 2xx, 304, 410, 429)."""
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status == HTTPStatus.NOT_FOUND:
        return "failing", f"Not found ({phrase}): the feed may have moved; we keep trying."
    if status == HTTPStatus.UNAUTHORIZED:
        return "blocked", f"The site wants a login ({phrase})."
    if status in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS}:
        return "blocked", f"The site refuses us ({phrase})."
    return "failing", f"The server answered {phrase}."


_CHALLENGE_MARKS = (b"/cdn-cgi/challenge-platform", b"_cf_chl_opt", b"cf-browser-verification")


def is_challenge(body: bytes) -> bool:
    """Whether ``body`` is Cloudflare's test for browsers, which comes as 403, 503 or even 200."""
    return any(mark in body[:65_536] for mark in _CHALLENGE_MARKS)


CHALLENGE = "Blocked by a Cloudflare challenge: the site lets only browsers in."


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


def _interval(
    gap: float, last_new: datetime | None, *, answer: Answer, settings: PollSettings
) -> float:
    """Half the usual gap; longer as a silence grows, but a silent night costs no late morning."""
    wanted = gap / 2 if gap else settings.default_seconds
    if last_new is not None and gap:
        quiet = min((answer.at - last_new).total_seconds(), LONGEST_GAP)
        wanted = max(wanted, quiet / 8)
    wanted = max(wanted, min(answer.advertised_seconds, ADVERTISED_MOST))
    return min(max(wanted, settings.min_seconds), settings.max_seconds)


def _spread(seconds: float, chance: float, *, settings: PollSettings) -> float:
    return min(seconds * (1 + chance / 4), max(settings.max_seconds, settings.min_seconds))


def _described(state: FeedState, answer: Answer, *, gap: float) -> tuple[Condition, str]:
    if answer.missed:
        return "ok", (
            f"A full fetch found {answer.missed} entries that the server had called unmodified; "
            "from now on the feed is always fetched whole."
        )
    if answer.elapsed_seconds > SLOW_SECONDS:
        return "slow", f"Answers slowly: the last poll took {words(answer.elapsed_seconds)}."
    if state.followed_url and not state.moved_to:
        return "ok", f"Moved for good to {state.followed_url}; polled there."
    rhythm = f", something new about every {words(gap)}" if gap else ""
    return "ok", f"Answers, {answer.entries or state.entries} entries{rhythm}."

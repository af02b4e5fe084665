"""When an alert may go: digests by a schedule, quiet hours, a limit to how many.

Times of day are those on the wall of a zone. One that exists twice there, as clocks are put back,
counts the first time; one that does not exist counts at the moment the clocks were put forward.
So each wall time comes exactly once, in order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from ingest.errors import UsageError
from search.alert_state import HeldFor
from search.subscriptions import Subscription

TEXT_CHARS = 100
"""Of a schedule as people write it: five fields and a zone."""

CRON_FIELDS = 5
MAX_COUNT = 10_000
MAX_WINDOW = timedelta(days=7)
"""Of a throttle: how far back an owner looks when it takes subscriptions over."""

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
"""Upper case first: ``localtime`` and the like mean something else on each machine."""

_QUIET = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_THROTTLE = re.compile(r"(\d{1,5})\s*/\s*(\d{0,7})\s*([smhd])")

_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - a wall time, of no zone

_DIGEST_HINT = "Write minute, hour, day, month, weekday: 0 8 * * 1-5 @Europe/Berlin"
_QUIET_HINT = "Write it as 22:00-07:00@Europe/Berlin"
_THROTTLE_HINT = "Write it as 5/1h: five alerts an hour; units are s, m, h and d."
_ZONE_HINT = "Name it as Europe/Berlin; without a zone, times are UTC."


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A schedule: at each of its moments goes what came since the one before."""

    cron: str
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Digest:
        """The schedule that ``text`` says: a cron expression, perhaps ``@`` and a zone.

        Raises:
            UsageError: it is no such thing, or never comes.
        """
        expression, zone = _split(text, "digest's schedule", _DIGEST_HINT)
        fields = expression.split()
        if len(fields) != CRON_FIELDS:
            raise UsageError(
                f"a digest's schedule has {CRON_FIELDS} fields, not {len(fields)}",
                hint=_DIGEST_HINT,
                code="bad-digest",
            )
        cron = " ".join(fields)
        try:
            comes = next(CronSim(cron, _ANY_DAY), None)
        except CronSimError as error:
            raise UsageError(
                f"{cron} is no schedule: {str(error).lower()}", hint=_DIGEST_HINT, code="bad-digest"
            ) from error
        if comes is None:
            raise UsageError(
                f"the schedule {cron} never comes", hint=_DIGEST_HINT, code="bad-digest"
            )
        return cls(cron=cron, zone=_zone(zone))

    def next_after(self, now: datetime) -> datetime:
        """The first moment of the schedule after ``now``, in UTC."""
        return _next(self.cron, self.zone, now.astimezone(UTC).replace(second=0, microsecond=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours in which nothing is sent, every day, perhaps over midnight."""

    begins: time
    ends_at: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Quiet:
        """The hours that ``text`` says: ``22:00-07:00``, perhaps ``@`` and a zone.

        Raises:
            UsageError: it is no such thing, or no time or the whole day.
        """
        hours, zone = _split(text, "quiet time", _QUIET_HINT)
        found = _QUIET.fullmatch(hours)
        if found is None:
            raise UsageError(
                f"{hours} are no quiet hours", hint=_QUIET_HINT, code="bad-quiet-hours"
            )
        begins, ends = (_time(*found.group(one, one + 1)) for one in (1, 3))
        if begins == ends:
            raise UsageError(
                "quiet hours that begin when they end would be no time, or the whole day",
                hint=f"{_QUIET_HINT}; to hear nothing: wirewatch subscriptions pause",
                code="bad-quiet-hours",
            )
        return cls(begins=begins, ends_at=ends, zone=_zone(zone))

    def ends(self, now: datetime) -> datetime | None:
        """When the quiet hours end that it is now, in UTC; None where it is not quiet."""
        today = now.astimezone(self.zone).date()
        for day in (today + timedelta(days=one) for one in (-1, 0, 1)):
            last = day if self.ends_at > self.begins else day + timedelta(days=1)
            end = _moment(datetime.combine(last, self.ends_at), self.zone)
            if _moment(datetime.combine(day, self.begins), self.zone) <= now < end:
                return end
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """At most ``count`` alerts within any ``window``."""

    count: int
    window: timedelta

    @classmethod
    def parse(cls, text: str) -> Throttle:
        """The limit that ``text`` says: ``5/1h``. Raises UsageError."""
        found = _THROTTLE.fullmatch(text.strip())
        if found is None:
            raise UsageError(
                f"{text.strip()[:TEXT_CHARS]} is no limit", hint=_THROTTLE_HINT, code="bad-throttle"
            )
        count = int(found[1])
        seconds = int(found[2] or 1) * _SECONDS[found[3]]
        if not 0 < count <= MAX_COUNT or not 0 < seconds <= MAX_WINDOW.total_seconds():
            raise UsageError(
                f"a limit is 1 to {MAX_COUNT} alerts within 1 second to {MAX_WINDOW.days} days",
                hint=_THROTTLE_HINT,
                code="bad-throttle",
            )
        return cls(count=count, window=timedelta(seconds=seconds))

    def next_after(self, slots: list[datetime], now: datetime) -> datetime:
        """When the next may go, after those that went at ``slots``, oldest first."""
        spent = [one for one in slots if now - self.window < one <= now]
        return now if len(spent) < self.count else spent[-self.count] + self.window


def _split(text: str, what: str, hint: str) -> tuple[str, str]:
    if len(text) > TEXT_CHARS or not text.isprintable():
        raise UsageError(
            f"a {what} has at most {TEXT_CHARS} printable characters", hint=hint, code="bad-time"
        )
    said, at, zone = text.partition("@")
    return said.strip(), zone.strip() if at else "UTC"


def _zone(name: str) -> ZoneInfo:
    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, as Europe
        pass
    raise UsageError(f"there is no time zone {name}", hint=_ZONE_HINT, code="unknown-zone")


def _time(hour: str, minute: str) -> time:
    if hour == "24":
        if minute != "00":
            raise UsageError("the day ends at 24:00", hint=_QUIET_HINT, code="bad-quiet-hours")
        hour = "0"
    return time(int(hour), int(minute))


@lru_cache(maxsize=4_096)
def _next(cron: str, zone: ZoneInfo, minute: datetime) -> datetime:
    """Remembered: thousands of alerts may wait for the same schedule."""
    wall = minute.astimezone(zone).replace(tzinfo=None)
    moments = (_moment(found, zone) for found in CronSim(cron, wall))
    return next(one for one in moments if one > minute)  # a wall may show it a second time now


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clocks of ``zone`` show ``wall``, or more."""
    while True:
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
        wall += timedelta(minutes=1)  # clocks are put forward, by whole minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a subscription's alerts may go; ``storm`` is a limit for everybody."""

    digest: Digest | None = None
    quiet: Quiet | None = None
    throttle: Throttle | None = None
    storm: Throttle | None = None

    @classmethod
    def of(cls, one: Subscription, *, storm: Throttle | None) -> Timing:
        """What ``one`` says. Raises UsageError: this version, or machine, cannot read it."""
        return cls(
            storm=storm,
            digest=Digest.parse(one.digest) if one.mode == "digest" and one.digest else None,
            quiet=Quiet.parse(one.quiet) if one.quiet else None,
            throttle=Throttle.parse(one.throttle) if one.throttle else None,
        )

    @property
    def limits(self) -> dict[HeldFor, Throttle]:
        """How many may go one by one."""
        found: dict[HeldFor, Throttle | None] = {"throttle": self.throttle, "storm": self.storm}
        return {why: limit for why, limit in found.items() if limit is not None}

    def release(self, now: datetime) -> Hold | None:
        """Until when an alert made now is held by schedule or quiet hours; None where it is not."""
        if self.digest is not None:
            at = self.digest.next_after(now)
            return Hold(why="digest", until=self.after_quiet(at))
        at = self.after_quiet(now)
        return Hold(why="quiet", until=at) if at > now else None

    def after_quiet(self, at: datetime) -> datetime:
        """``at``, or where it is quiet then, when that ends."""
        return (self.quiet and self.quiet.ends(at)) or at

    def due(self, hold: Hold, *, created: datetime, now: datetime) -> datetime:
        """When an alert may go that was held, under what the subscription says now.

        A limit that is gone, or shorter, holds it no longer; nor does one for longer than it
        lasts, where the clock was put back.
        """
        at = created
        limit = self.limits.get(hold.why)
        if self.digest is not None:
            at = self.digest.next_after(created)
        elif limit is not None:
            at = min(hold.until, now + limit.window)
        return self.after_quiet(max(at, now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That an alert may not go yet, why, and until when."""

    why: HeldFor
    until: datetime

"""The form of a subscription: its fields, and what they say. Pure but for the checks it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from ingest.errors import QueryError, UsageError
from search.pages.faults import Fault, fault_of
from search.subscriptions import Subscription, check_name, narrowed, redacted
from search.timing import Digest, Quiet, Throttle

AT_ONCE, OWN = "", "own"
SCHEDULES = (
    (AT_ONCE, "at once, each by itself"),
    ("0 * * * *", "every hour, together"),
    ("0 8 * * *", "each morning at 8:00, together"),
    ("0 8 * * 1-5", "weekdays at 8:00, together"),
    ("0 8,17 * * 1-5", "weekdays at 8:00 and 17:00, together"),
    (OWN, "by a schedule of my own, together"),
)
PERIODS = (("1h", "an hour"), ("1d", "a day"), ("10m", "ten minutes"))


class SubscriptionForm(BaseModel):
    """What the form's fields hold, as they were typed.

    Attributes:
        schedule: One of ``SCHEDULES``; ``cron`` belongs to ``own`` and to no other.
        zone: Of schedule and quiet hours.
        channels: Names of channels that were chosen.
        to: Further addresses, one a line.
    """

    name: str = ""
    query: str = ""
    sources: str = ""
    languages: str = ""
    channels: list[str] = []
    to: str = ""
    schedule: str = AT_ONCE
    cron: str = ""
    zone: str = ""
    quiet_from: str = ""
    quiet_until: str = ""
    throttle: str = ""
    period: str = "1h"
    every_article: bool = False
    story_updates: bool = False

    @property
    def digest_text(self) -> str:
        """The schedule as a subscription holds it; empty for at once."""
        cron = self.cron.strip() if self.schedule == OWN else self.schedule
        return f"{cron}{self._at_zone}" if cron or self.schedule == OWN else ""

    @property
    def quiet_text(self) -> str:
        """The quiet hours as a subscription holds them."""
        if not self.quiet_from.strip() and not self.quiet_until.strip():
            return ""
        return f"{self.quiet_from.strip()}-{self.quiet_until.strip()}{self._at_zone}"

    @property
    def throttle_text(self) -> str:
        """The limit as a subscription holds it."""
        return f"{self.throttle.strip()}/{self.period}" if self.throttle.strip() else ""

    @property
    def targets(self) -> list[str]:
        """Where alerts go: channels, then addresses."""
        return [*self.channels, *(one.strip() for one in self.to.splitlines() if one.strip())]

    @property
    def whole_query(self) -> str:
        """The query with what narrows it."""
        return narrowed(
            self.query, sources=words_of(self.sources), languages=words_of(self.languages)
        )

    @property
    def _at_zone(self) -> str:
        zone = self.zone.strip()
        return f"@{zone}" if zone and zone != "UTC" else ""

    def changes(self) -> dict[str, Any]:
        """What the store is told."""
        return {
            "name": self.name,
            "query": self.whole_query,
            "to": self.targets,
            "digest": self.digest_text,
            "quiet": self.quiet_text,
            "throttle": self.throttle_text,
            "every_article": self.every_article,
            "story_updates": self.story_updates,
        }

    def faults(self, check_query: Callable[[str], object]) -> dict[str, Fault]:
        """What is wrong, by field; what only the store can tell is not among it."""
        return dict(self._faults(check_query))

    def _faults(self, check_query: Callable[[str], object]) -> Iterator[tuple[str, Fault]]:
        checks: tuple[tuple[str, str, Callable[[str], object]], ...] = (
            ("name", self.name, check_name),
            ("query", self.query, check_query),
            ("cron", self.digest_text, Digest.parse),
            ("quiet", self.quiet_text, Quiet.parse),
            ("throttle", self.throttle_text, Throttle.parse),
        )
        for field, text, check in checks:
            if not text and field not in ("name", "query"):
                continue
            try:
                check(text)
            except UsageError as error:
                where = "zone" if error.code == "unknown-zone" else field
                yield where, fault_of(error, self.query if isinstance(error, QueryError) else "")
        yield from self._unlike_choices()
        if not self.targets:
            yield (
                "to",
                Fault(
                    sentence="A subscription needs somewhere to send its alerts.",
                    hint="Choose a channel, or write an address such as https://… or mailto:…",
                ),
            )

    def _unlike_choices(self) -> Iterator[tuple[str, Fault]]:
        """A schedule that was typed but not chosen, or the reverse: neither means "at once"."""
        own, cron = dict(SCHEDULES)[OWN], self.cron.strip()
        if cron and self.schedule != OWN:
            sentence = f"The schedule {cron} is not chosen."
            yield "cron", Fault(sentence=sentence, hint=f"Choose “{own}”, or empty this field.")
        if not cron and self.schedule == OWN:
            sentence = "The schedule of your own is empty."
            hint = "Write minute, hour, day, month, weekday: 0 8 * * 1-5"
            yield "cron", Fault(sentence=sentence, hint=hint)


def words_of(text: str) -> list[str]:
    """The values of a field that takes several, separated by blanks or commas."""
    return text.replace(",", " ").split()


def filled(one: Subscription, channels: Sequence[str]) -> SubscriptionForm:
    """The form as it is for a subscription that is there; ``channels`` are all there are."""
    cron, _, digest_zone = one.digest.partition("@")
    hours, _, quiet_zone = one.quiet.partition("@")
    begins, _, ends = hours.partition("-")
    count, _, period = one.throttle.partition("/")
    cron = cron.strip()
    known = cron in {value for value, _ in SCHEDULES}
    shown = [redacted(target) for target in one.to]
    return SubscriptionForm(
        name=one.name,
        query=one.query,
        channels=[target for target in shown if target in channels],
        to="\n".join(target for target in shown if target not in channels),
        schedule=cron if known else OWN,
        cron="" if known else cron,
        zone=(digest_zone or quiet_zone).strip(),
        quiet_from=begins.strip(),
        quiet_until=ends.strip(),
        throttle=count,
        period=period or "1h",
        every_article=one.every_article,
        story_updates=one.story_updates,
    )

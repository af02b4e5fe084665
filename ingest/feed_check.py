"""What a poll of an address or a file would do, and why it fails: ``feeds check``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from ingest import refusals
from ingest.answer import FetchResult, is_success
from ingest.discovery import NamedFeed
from ingest.errors import FeedError, FetchError
from ingest.feed_secrets import masked, shown
from ingest.feeds import Condition, checked_feed_url, entries_in_words
from ingest.fetch import Fetcher
from ingest.findings import advertised_seconds, rhythm
from ingest.guard import split_credentials
from ingest.identity import feed_id
from ingest.politeness import HostSlots
from ingest.poll import Sandboxes
from ingest.reading import ReadFeed, Reading, header, read_answer, read_found
from ingest.schedule import rhythm_seconds
from ingest.settings import PollSettings
from ingest.wire import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The answer to ``feeds check``.

    Attributes:
        address: As polled in the end, after redirects.
        state, sentence, hint: As feed health would say it.
        every_seconds: How often the feed would be polled.
        found: Feeds that a web page at the address names.
        notes: What was repaired or guessed while reading.
    """

    address: str
    state: Condition
    sentence: str
    hint: str = ""
    title: str = ""
    format: str = ""
    encoding: str = ""
    entries: int = 0
    newest: Time | None = None
    every_seconds: float | None = None
    moved_to: str = ""
    found: tuple[NamedFeed, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeedCheck:
    """Checks feeds without writing anything."""

    fetcher: Fetcher
    slots: HostSlots
    sandboxes: Sandboxes
    settings: PollSettings = dataclasses.field(default_factory=PollSettings)

    async def address(self, text: str, *, now: datetime) -> CheckReport:
        """What a poll of the address ``text`` would give.

        Raises:
            UsageError: it can be no feed's address.
        """
        whole = checked_feed_url(text)
        report = await self._address(whole, now=now)
        return dataclasses.replace(
            report,
            address=shown(report.address),
            sentence=masked(report.sentence, whole),
            moved_to=shown(report.moved_to),
        )

    async def _address(self, whole: str, *, now: datetime) -> CheckReport:
        url, user, password = split_credentials(whole)
        try:
            async with self.slots.turn(url):
                result = await self.fetcher.fetch(
                    url, credentials=(user, password) if user or password else None
                )
        except FeedError as error:
            state: Condition = "failing" if isinstance(error, FetchError) else "blocked"
            return _refused(url, error, state)
        return await self._result(result, now=now)

    async def body(
        self, body: bytes, *, now: datetime, url: str = "", content_type: str = ""
    ) -> CheckReport:
        """What reading ``body``, such as a file's content, would give."""
        reading = Reading(url=url, feed_id=feed_id(url), fetched=now, content_type=content_type)
        try:
            found = read_answer(await self.sandboxes.call(header(reading), body))
        except FeedError as error:
            report = _refused(url, error, refusals.condition_of(error))
            if error.code != "html-page":
                return report
            wanted = dataclasses.replace(reading, wanted="feeds")
            named = read_found(await self.sandboxes.call(header(wanted), body))
            return dataclasses.replace(report, found=named)
        return self._read(url, found, now=now)

    async def _result(self, result: FetchResult, *, now: datetime) -> CheckReport:
        if not is_success(result.status):
            state, sentence = refusals.status_means(result.status)
            return CheckReport(address=result.url, state=state, sentence=sentence)
        report = await self.body(
            result.body, now=now, url=result.url, content_type=result.content_type
        )
        asked = float(result.max_age_seconds or 0)
        every = max(report.every_seconds, asked) if report.every_seconds else None
        return dataclasses.replace(report, every_seconds=every, moved_to=result.permanent_url)

    def _read(self, url: str, found: ReadFeed, *, now: datetime) -> CheckReport:
        dates = sorted(
            article.published
            for article in found.articles
            if article.published is not None and article.published <= now
        )
        newest = dates[-1] if dates else None
        every = rhythm_seconds(
            rhythm(dates),
            quiet_seconds=(now - newest).total_seconds() if newest else 0.0,
            advertised_seconds=advertised_seconds(found.feed),
            settings=self.settings,
        )
        return CheckReport(
            address=url,
            state="ok",
            sentence=f"A feed with {entries_in_words(len(found.articles))}.",
            title=found.feed.title,
            format=found.feed.format,
            encoding=found.feed.encoding,
            entries=len(found.articles),
            newest=newest,
            every_seconds=every,
            notes=found.feed.notes,
        )


def _refused(url: str, error: FeedError, state: Condition) -> CheckReport:
    return CheckReport(address=url, state=state, sentence=error.sentence, hint=error.hint)

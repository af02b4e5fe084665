"""From a story record to the alerts it calls for, one subscription after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.log import NewRecord, Record
from ingest.wire import decode
from processors.document import Document, document
from processors.query_tree import Query
from processors.records import StoryRecord
from search.active import Active
from search.alert_settings import AlertSettings
from search.claims import Body, Claims, Match, silence
from search.payload import Reason, Told, payload, reasons
from search.subscriptions import Subscription

AT_ONCE = 500
"""Claims looked up together where thousands match: the first are durable before the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A story and the subscriptions that it is news for."""

    story: StoryRecord
    document: Document
    subscriptions: list[tuple[Subscription, Query]]


class Matching:
    """Matches stories with what is ``active``, and claims."""

    def __init__(
        self,
        active: Active,
        claims: Claims,
        erased: Container[str],
        *,
        settings: AlertSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._active = active
        self._claims = claims
        self._settings = settings
        self._clock = clock
        self._erased = erased

    def matched(self, record: Record, *, besides: Collection[int] = ()) -> Matched | None:
        """The subscriptions for a record of ``stories``; None where it is news for nobody.

        ``besides`` are shards that have met it before.

        Raises:
            MalformedRecordError, NewerSchemaError: it cannot be read.
        """
        if record.value is None or not len(self._active):
            return None
        story = decode(StoryRecord, record.value)
        if silence(story) or story.article.id in self._erased:
            return None
        seen = document(story.article, story.topics)
        found = self._active.match(seen, record, besides=besides)
        return Matched(story=story, document=seen, subscriptions=found) if found else None

    def expect(self, several: Sequence[Matched]) -> None:
        """Read at once what is known of all that ``several`` may claim."""
        self._claims.expect(
            self._match(found, subscription)
            for found in several
            for subscription, _ in found.subscriptions
        )

    def claims(self, found: Matched) -> Iterator[NewRecord]:
        """The records to append; what is claimed already gives none.

        Subscriptions with the same query share the work of saying why.
        """
        told = Told.of(found.story, link_base=self._settings.link_base)
        known: dict[str, tuple[Reason, ...]] = {}
        for first in range(0, len(found.subscriptions), AT_ONCE):
            some = found.subscriptions[first : first + AT_ONCE]
            self._claims.expect(self._match(found, one) for one, _ in some)
            for subscription, query in some:
                if query.text not in known:
                    known[query.text] = reasons(query, found.document, found.story)
                match = self._match(found, subscription)
                made = self._claims.claim(match, self._body(match, told, known[query.text]))
                if made is not None:
                    yield made

    def _match(self, found: Matched, subscription: Subscription) -> Match:
        return Match(subscription=subscription, story=found.story, now=self._clock())

    def _body(self, match: Match, told: Told, why: tuple[Reason, ...]) -> Body:
        return lambda alert_id, kind: payload(
            told,
            match.subscription,
            kind=kind,
            alert_id=alert_id,
            why=why,
            created=match.now,
            max_bytes=self._settings.payload_bytes,
        )

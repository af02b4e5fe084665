"""Everything that can go wrong, as one tree.

Each error carries a developer message (``str(error)``), a sentence for the person who uses
Wirewatch, a remedy (``hint``), a stable ``code`` and whether trying again can help (``retry``)::

    WirewatchError
    ├── UsageError            wrong argument, file, query or setting (exit status 2)
    │   ├── QueryError        a query that cannot be parsed or is above a limit; has ``caret``
    │   ├── FileError         OPML, YAML or TOML that cannot be read; has ``place``
    │   └── NotFoundError     no such feed, article, subscription, alert
    │       └── GoneError     it was there, and was erased by request
    ├── FeedError             a feed cannot be polled now; the poller backs off
    │   ├── BlockedAddressError   the address guard refused the peer
    │   ├── FetchError        no usable HTTP answer
    │   └── UnreadableError   the body is not a feed we can or may read
    ├── StoreError            log or index cannot serve
    │   ├── UnavailableError  busy, full or unreachable: try again
    │   ├── RecordTooLargeError   above the record limit of both logs
    │   ├── FencedError       this consumer no longer owns the partition
    │   └── ForeignStoreError came back empty, older or as another store: stop
    ├── RecordError           one record cannot be processed
    │   ├── MalformedRecordError  quarantine it
    │   └── NewerSchemaError  made by a newer version: stop this worker
    └── DeliveryError         a receiver did not acknowledge
"""

from __future__ import annotations


class WirewatchError(Exception):
    """The root: a developer message, a user sentence, a remedy.

    Attributes:
        code: Kebab-case name, stable across versions, for scripts.
        sentence: What a user reads; the message itself where nothing else is given.
        hint: What to do about it, as a sentence; may be empty.
        retry: Whether the same call can succeed later without a change by a person.
        place: File and line, or other place of the fault; may be empty.
        caret: Offset in the query text at which the fault lies, or None.
    """

    code: str = "error"
    retry: bool = False

    def __init__(
        self,
        message: str,
        *,
        sentence: str = "",
        hint: str = "",
        code: str = "",
        place: str = "",
        caret: int | None = None,
        retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.sentence = sentence or message
        self.hint = hint
        self.place = place
        self.caret = caret
        if code:
            self.code = code
        if retry is not None:
            self.retry = retry

    def as_json(self) -> dict[str, object]:
        """The shape of errors on stderr and in API answers: error, code, hint, caret?, place?."""
        found: dict[str, object] = {"error": self.sentence, "code": self.code, "hint": self.hint}
        if self.caret is not None:
            found["caret"] = self.caret
        if self.place:
            found["place"] = self.place
        return found


class UsageError(WirewatchError):
    """The caller asked for something that cannot be done as written."""

    code = "usage"


class QueryError(UsageError):
    """A query that cannot be parsed, is above a limit, or is refused where it is used.

    Attributes:
        query: The text that ``caret`` counts in, where whoever shows the error knows it.
    """

    code = "query"
    query: str = ""


class FileError(UsageError):
    """A file of the user's (OPML, YAML, TOML, JSON lines) that cannot be read as such."""

    code = "file"


class NotFoundError(UsageError):
    """The named thing does not exist."""

    code = "not-found"


class GoneError(NotFoundError):
    """It was there, and was erased by request."""

    code = "erased"


class FeedError(WirewatchError):
    """A feed cannot be polled now."""

    code = "feed"
    retry = True


class BlockedAddressError(FeedError):
    """The address guard refused the peer (promise P5)."""

    code = "blocked-address"


class FetchError(FeedError):
    """No usable HTTP answer: timed out, broke, too large, refused encoding, redirects."""

    code = "fetch"


class UnreadableError(FeedError):
    """The body is not a feed we can or may read; its bytes go to quarantine."""

    code = "unreadable"


class StoreError(WirewatchError):
    """The log or an index cannot serve."""

    code = "store"


class UnavailableError(StoreError):
    """Busy, full or unreachable; the same call may succeed later."""

    code = "unavailable"
    retry = True


class RecordTooLargeError(StoreError):
    """An encoded record above the limit that both logs share."""

    code = "record-too-large"


class FencedError(StoreError):
    """A commit by a consumer that no longer owns the partition."""

    code = "fenced"


class ForeignStoreError(StoreError):
    """A store came back empty, older, or is another one than the checkpoint names."""

    code = "foreign-store"


class RecordError(WirewatchError):
    """One record cannot be processed."""

    code = "record"


class MalformedRecordError(RecordError):
    """Not what its schema says; goes to quarantine."""

    code = "malformed-record"


class NewerSchemaError(RecordError):
    """Written by a newer version of Wirewatch; the worker stops and asks for an upgrade."""

    code = "newer-schema"


class DeliveryError(WirewatchError):
    """A receiver did not acknowledge an alert."""

    code = "delivery"
    retry = True

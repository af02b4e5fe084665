"""Questions to the articles in Elasticsearch, and what its refusals mean to who searches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from elasticsearch import ApiError, ConnectionTimeout, Elasticsearch, TransportError

from ingest.errors import QueryError, UnavailableError, UsageError, WirewatchError
from search.elastic_errors import BUSY, store_error
from search.engine import TooManyWordsError

_KEPT = "1m"  # a search that has not asked on for so long has ended
_TOO_MANY_WORDS = ("expanded to too many terms", "Determinizing automaton", "too many nested clau")
_TOO_MANY_BUCKETS = "too_many_buckets"
_TOO_DEEP = "max_nested_depth"


class ElasticView:
    """The articles under the alias ``articles``; from ``hold`` on they do not change."""

    def __init__(
        self, client: Elasticsearch, articles: str, *, url: str, answer_seconds: float
    ) -> None:
        self._client = client
        self._articles = articles
        self._url = url
        self._answer_seconds = answer_seconds
        self._held = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._held:
            with suppress(ApiError, TransportError):  # it ends by itself, too
                self._client.close_point_in_time(id=self._held)

    def hold(self) -> None:
        """Look from now on at the articles as they are now."""
        if self._held:
            return
        try:
            # Where nothing was written yet, there is no alias.
            found = self._client.open_point_in_time(
                index=self._articles,
                keep_alive=_KEPT,
                ignore_unavailable=True,
                allow_partial_search_results=False,
            )
        except (ApiError, TransportError) as error:
            raise self._meaning(error) from error
        self._held = found["id"]

    def ask(self, **body: Any) -> Mapping[str, Any]:
        """The answer to a search, from all shards.

        Raises:
            UnavailableError: not from all, not in time, not at all.
            QueryError, UsageError: more than the engine takes.
        """
        if self._held:
            body["pit"] = {"id": self._held, "keep_alive": _KEPT}
        else:
            body |= {"index": self._articles, "ignore_unavailable": True}
        try:
            found: Mapping[str, Any] = self._client.search(
                source=False,
                timeout=f"{self._answer_seconds * 1000:.0f}ms",
                allow_partial_search_results=None if self._held else False,
                **body,
            ).body
        except (ApiError, TransportError) as error:
            raise self._meaning(error) from error
        if found["timed_out"]:
            raise self._late("the engine's own limit")
        if found["_shards"]["failed"]:
            raise self._partial(str(found["_shards"]))
        self._held = found.get("pit_id", self._held)
        return found

    def _meaning(self, error: ApiError | TransportError) -> WirewatchError:
        """``error`` as one of ours."""
        if isinstance(error, ConnectionTimeout):
            return self._late(str(error))
        if isinstance(error, ApiError):
            reason = json.dumps(error.body)  # the cause lies deep in it
            found = _refusal(reason)
            if found is not None:
                return found
            if error.meta.status in BUSY:
                return self._partial(reason)
        return store_error(error, self._url, "a search")

    def _late(self, message: str) -> UnavailableError:
        seconds = f"{self._answer_seconds:g} s"
        return UnavailableError(
            message,
            sentence=f"Elasticsearch did not answer this search within {seconds}.",
            hint="Search in less time or with fewer wildcards; wirewatch doctor shows its state.",
        )

    def _partial(self, message: str) -> UnavailableError:
        return UnavailableError(
            message,
            sentence=f"Elasticsearch at {self._url} cannot search all articles now.",
            hint="Try again in a moment; wirewatch doctor shows its state.",
        )


def _refusal(reason: str) -> UsageError | None:
    """What a search asked too much, in words of ours; None where that is not why it failed."""
    if any(sign in reason for sign in _TOO_MANY_WORDS):
        return TooManyWordsError(reason)
    if _TOO_MANY_BUCKETS in reason:
        return UsageError(
            reason,
            sentence="These are too many values or intervals to count.",
            hint="Choose a longer interval, or search for less.",
        )
    if _TOO_DEEP in reason:
        return QueryError(
            reason,
            sentence="This search is nested too deeply.",
            hint="Search for its parts one by one.",
            caret=0,
        )
    return None

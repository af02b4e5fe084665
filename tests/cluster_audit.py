"""Compares a ledger of issued items with a Kafka and an Elasticsearch at rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from ingest.log import Log
from ingest.urls import canonical_url
from search.elastic_names import Names
from search.elastic_settings import ElasticSettings
from tests.alert_book import AlertBook
from tests.audit import Audit, audit_alerts, audit_quarantine, audit_receipts, audit_stories
from tests.ledger import Ledger

PAGE = 2_000


def audit_cluster(
    log: Log,
    index: ElasticSettings,
    *,
    ledger: Ledger,
    book: AlertBook,
    wanted: Sequence[tuple[str, str]],
) -> Audit:
    """Compare; ``wanted`` are the alerts that were due, as (subscription, URL)."""
    found = Audit(items=len(ledger.items), requests=len(book.receipts))
    audit_stories(found, log, ledger)
    audit_alerts(found, log)
    audit_quarantine(found, log)
    audit_receipts(found, book, wanted)
    with Elasticsearch(index.url) as client:
        _documents(found, client, Names(index.prefix), ledger)
        _lists(found, client, Names(index.prefix), book)
    return found


def _documents(found: Audit, client: Elasticsearch, names: Names, ledger: Ledger) -> None:
    """Each item is one document, over all months and generations, whatever the alias says."""
    client.indices.refresh(index=names.months)
    ids: Counter[str] = Counter()
    urls: dict[str, int] = defaultdict(int)
    for source in scanned(client, names.months, ("id", "canonical_url")):
        ids[source["id"]] += 1
        urls[source["canonical_url"]] += 1
    found.indexed = ids.total()
    found.differences += [f"article {one} is {count} documents" for one, count in ids.items()
                          if count > 1]  # fmt: skip
    for item in ledger.items:
        count = urls.pop(canonical_url(item.url), 0)
        if count != 1:
            found.differences.append(f"item {item.number} is {count} documents")
    found.differences += [f"{url} is indexed and was never issued" for url in urls]
    searched = client.count(index=names.articles)["count"]
    if searched != found.indexed:
        found.differences.append(f"the alias has {searched} of {found.indexed} documents")


def _lists(found: Audit, client: Elasticsearch, names: Names, book: AlertBook) -> None:
    """The list of alerts for people has every alert as it ended."""
    client.indices.refresh(index=names.alerts)
    listed = {one["alert_id"]: one["state"]
              for one in scanned(client, names.alerts, ("alert_id", "state"))}  # fmt: skip
    sent = {one.alert_id for one in book.acknowledged()}
    found.differences += [f"alert {one} is not in the list" for one in sent - listed.keys()]
    found.differences += [f"alert {one} is listed as {listed[one]}" for one in sent & listed.keys()
                          if listed[one] != "sent"]  # fmt: skip


def scanned(client: Elasticsearch, index: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    """``fields`` of every document of ``index``, as it was at one moment."""
    opened = client.open_point_in_time(index=index, keep_alive="2m")["id"]
    after: list[Any] | None = None
    try:
        while True:
            page = client.search(
                pit={"id": opened, "keep_alive": "2m"},
                size=PAGE,
                sort=["_shard_doc"],
                source={"includes": list(fields)},
                search_after=after,
                track_total_hits=False,
            )["hits"]["hits"]
            yield from (hit["_source"] for hit in page)
            if len(page) < PAGE:
                return
            after = page[-1]["sort"]
    finally:
        client.close_point_in_time(id=opened)

"""What a view of the embedded index holds about single documents, with types."""

from __future__ import annotations

import tantivy

from ingest.wire import decode
from processors.records import StoryRecord
from search.tantivy_schema import SCHEMA


def find(searcher: tantivy.Searcher, article_id: str) -> tantivy.DocAddress | None:
    """Where the document of ``article_id`` lies."""
    query = tantivy.Query.term_query(SCHEMA, "id", article_id)
    hits = searcher.search(query, 1, count=False).hits
    return hits[0][1] if hits else None


def order_of(searcher: tantivy.Searcher, article_id: str) -> int:
    """The version of a document, -1 where there is none."""
    address = find(searcher, article_id)
    if address is None:
        return -1
    found = searcher.fast_field_values("order", [address])[0]
    return -1 if found is None else int(found)


def text_at(searcher: tantivy.Searcher, address: tantivy.DocAddress, field: str) -> str:
    """A stored text: ``id`` or ``story``."""
    return str(searcher.doc(address).get_first(field))


def bytes_at(searcher: tantivy.Searcher, address: tantivy.DocAddress, field: str) -> bytes:
    """Stored bytes: ``words`` or ``record``."""
    return searcher.doc(address).get_first(field) or b""


def record_at(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> StoryRecord:
    """The record of the document at ``address``."""
    return decode(StoryRecord, bytes_at(searcher, address, "record"))


def count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    """How many documents ``query`` finds."""
    return count_in(searcher.search(query, 1, count=True))


def count_in(found: tantivy.SearchResult) -> int:
    """How many documents a search found that was to count them."""
    return int(found.count)  # type: ignore[attr-defined] # missing in the package's stub

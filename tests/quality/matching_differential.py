"""The matcher against the definition, on as many random queries and documents as wanted.

Run from the repository's root: ``python -m tests.quality.matching_differential 10000``. The test
suite does the same on fewer.
"""

from __future__ import annotations

import sys
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import QueryError
from processors.document import Document
from processors.matcher import Matcher
from processors.query import parse
from processors.reference import matches
from tests.processors.query_strategies import documents, queries

SEEN: Counter[str] = Counter()


def compare(texts: list[str], found: list[Document]) -> None:
    """Count queries, pairs and matches; raise at the first difference."""
    stored = {}
    for text in texts:
        try:
            stored[text] = parse(text)
            SEEN["queries"] += 1
        except QueryError:
            SEEN["refused"] += 1
    matcher = Matcher(stored)
    for document in found:
        expected = {text for text, query in stored.items() if matches(query, document)}
        SEEN["pairs"] += len(stored)
        SEEN["matches"] += len(expected)
        got = set(matcher.match(document))
        if got != expected:
            raise AssertionError(f"{got ^ expected} on {document}")


def main(count: int) -> int:
    """Compare ``count`` times up to eight queries on up to three documents."""
    lists = (st.lists(queries(), min_size=1, max_size=8), st.lists(documents(), max_size=3))
    thorough = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    thorough(given(*lists)(compare))()
    print("no difference:", ", ".join(f"{number:,} {name}" for name, number in SEEN.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))

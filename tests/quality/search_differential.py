"""Search against the definition of matching, on as many random queries as wanted.

Run from the repository's root: ``python -m tests.quality.search_differential 10000 [URL]``; with
the URL of an Elasticsearch (as ``wirewatch cluster`` prints it) on that. The test suite does the
same on fewer.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.contracts.test_search_equals_matcher import (
    on_elasticsearch,
    on_tantivy,
    timed,
)
from tests.processors.query_strategies import positionals, queries


def main(count: int, url: str = "") -> int:
    """Search for ``count`` random queries; raise at the first difference."""
    with tempfile.TemporaryDirectory() as folder:
        searched = (
            on_elasticsearch(url, cases=count) if url else on_tantivy(Path(folder), cases=count)
        )
        searched.run(1, searched.check, queries().flatmap(timed) | positionals())
        print(f"no difference: {count:,} queries on {len(searched.records):,} articles")
        searched.index.close()
    return 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(int(arguments[0]) if arguments else 10_000, *arguments[1:2]))

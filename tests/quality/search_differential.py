"""Search against the definition of matching, on as many random queries as wanted.

Run from the repository's root: ``python -m tests.quality.search_differential 10000``. The test
suite does the same on fewer.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from tests.contracts.test_search_equals_matcher import Searched, timed
from tests.processors.query_strategies import queries


def main(count: int) -> int:
    """Search for ``count`` random queries; raise at the first difference."""
    thorough = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    with tempfile.TemporaryDirectory() as folder:
        searched = Searched(Path(folder))
        thorough(given(queries().flatmap(timed))(searched.check))()
        searched.index.close()
    print(f"no difference: {count:,} queries on {len(searched.records):,} articles")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))

from __future__ import annotations

import time
from datetime import UTC, datetime

from ingest.entry import ParsedFeed, RawEntry
from ingest.normalise import normalise

NESTED = 100_000


def test_f08_entry_with_html_nested_100_000_deep_is_kept_as_plain_text() -> None:
    body = "<p>Talks began.</p>" + "<div>" * NESTED + "They went on." + "</div>" * NESTED
    parsed = ParsedFeed(entries=(RawEntry(title="Talks", body=body),))
    spent = []
    for _ in range(3):
        begun = time.process_time()
        (found,) = normalise(
            parsed, feed_id="f", feed_url="https://example.com/f", fetched=datetime.now(UTC)
        )
        spent.append(time.process_time() - begun)
        assert found.text == "Talks began. They went on."
        assert "simplified" in found.notes
    assert min(spent) < 0.1

"""F07, the reader's side: shapes that cost feedparser minutes are read in linear time.

What is left over is stopped after five seconds by the sandbox.
"""

from __future__ import annotations

import time

import pytest

from ingest.parse import parse_feed

BOMBS = {
    "attributes": "<item " + " ".join(f'a{n}="1"' for n in range(20_000)) + "><title>x</title>",
    "categories": "<item><title>x</title>"
    + "".join(f"<category>c{n}</category>" for n in range(8_000)),
    "author": f"<item><title>x</title><author>{'a' * 80_000}</author>",
    "author address": f"<item><title>x</title><author>{'a.' * 40_000}@</author>",
    "open comments": "<item><title>x</title><description><![CDATA["
    + "<!--" * 20_000
    + "]]></description>",
    "unclosed CDATA": f"<item><title>x</title><description>{'<![CDATA[' * 20_000}</description>",
    "ampersands": f"<item><title>x</title><description>{'&' * 100_000}</description>",
    "prefixes": "<item><title>x</title>" + "".join(f"<p{n}:a/>" for n in range(3_000)),
    "deep elements": f"<item><title>x</title>{'<b>' * 8_000}{'</b>' * 8_000}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_f07_cpu_bombs_are_read_in_linear_time(name: str) -> None:
    body = f"<rss><channel>{BOMBS[name]}</item></channel></rss>".encode()
    began = time.process_time()
    feed = parse_feed(body)
    assert time.process_time() - began < 3
    assert feed.entries[0].title == "x"


def test_f07_of_many_thousand_entries_only_the_newest_are_parsed() -> None:
    items = "".join(f"<item><title>{n}</title></item>" for n in range(40_000))
    began = time.process_time()
    feed = parse_feed(f"<rss><channel>{items}</channel></rss>".encode())
    assert time.process_time() - began < 4
    assert len(feed.entries) == 2000
    assert feed.notes == ("38000 older entries left out",)

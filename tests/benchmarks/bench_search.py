"""What searching and indexing cost: 100,000 articles in an index, p50 and p99.

Run from the repository's root: ``python -m tests.benchmarks.bench_search [articles] [place]``.
With a folder the index stays there and is used again; with the URL of an Elasticsearch (as
``wirewatch cluster`` prints it) that is measured.
"""

from __future__ import annotations

import math
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

from processors.analysis import analyse
from processors.query import parse
from processors.records import StoryRecord
from search.index import Checkpoint, Index, SearchRequest
from search.tantivy_index import TantivyIndex
from tests.benchmarks.bench_matching import texts
from tests.story_records import SEEN, story

ARTICLES = 100_000
ROUNDS, MAX_SECONDS = 100, 10.0
"""Searches of each kind, other words in each; fewer where they take longer."""

BATCH = 500
SOURCES = [f"source{number}.example" for number in range(400)]
COMMON, MEDIUM, RARE = (30, 300), (300, 3_000), (3_000, 15_000)
"""Ranks of words by the number of texts that hold them."""

QUERIES = {
    "word, common": "{common}",
    "word, medium": "{medium}",
    "word, rare": "{rare}",
    "two words": "{common} {medium}",
    "phrase": '"{pair}"',
    "or of five": "{rare} OR {medium} OR {rare} OR {medium} OR {rare}",
    "not": "{medium} NOT {common}",
    "not alone": "NOT {common}",
    "at least": "ATLEAST/3({common} {common} {medium} {medium} {medium})",
    "prefix": "{start}*",
    "suffix": "*{end}",
    "prefix in phrase": '"{pair}*"',
    "near 5": "{common} NEAR/5 {medium}",
    "near 50": "{common} NEAR/50 {medium}",
    "near, wildcard": "{start}* NEAR/5 {start}*",
    "same sentence": "{common} SAMESENT {medium}",
    "not within": '{common} NOT WITHIN "{pair}"',
    "title": "title:{medium}",
    "source": "source:{source} {medium}",
}


class Words:
    """Words of the texts by how common they are, and pairs that stand side by side."""

    def __init__(self, corpus: Sequence[str], *, seed: int) -> None:
        self._rnd = random.Random(seed)
        words = [analyse(text).words for text in corpus]
        counts = Counter(word for some in words for word in set(some) if word.isalpha())
        self._ranked = [word for word, _ in counts.most_common() if len(word) > 3]
        known = set(self._ranked[: MEDIUM[1]])
        self._pairs = [pair for some in words for pair in pairwise(some) if known >= {*pair}]

    def query(self, template: str) -> str:
        """``template`` with words in each of its places."""
        return re.sub(r"\{(\w+)\}", lambda place: self._word(place.group(1)), template)

    def _word(self, kind: str) -> str:
        if kind == "pair":
            return " ".join(self._rnd.choice(self._pairs))
        if kind == "source":
            return self._rnd.choice(SOURCES)
        if kind in ("start", "end"):
            word = self._rnd.choice(self._ranked[slice(*MEDIUM)])
            return word[:4] if kind == "start" else word[-4:]
        bounds = {"common": COMMON, "medium": MEDIUM, "rare": RARE}[kind]
        return self._rnd.choice(self._ranked[slice(*bounds)])


def records(total: int) -> Iterator[StoryRecord]:
    """Different articles: each begins with half of one text and goes on with half of another."""
    corpus = texts(4000)
    chance = random.Random(3)
    for number in range(total):
        first, second = chance.choice(corpus), chance.choice(corpus)
        text = f"{first[: len(first) // 2]}\n{second[len(second) // 2 :]}"
        yield story(
            f"{chance.getrandbits(128):022x}"[:22],
            text,
            title=first.split("\n", 1)[0][:80],
            order=number,
            seen=SEEN + timedelta(seconds=26 * number),
            source=chance.choice(SOURCES),
            topics=("truce",) if chance.random() < 0.1 else (),
            story_id=f"story-{number // 2}",
        )


def build(index: Index, total: int) -> None:
    made = records(total)
    done, wall, cpu = 0, 0.0, 0.0
    while batch := list(islice(made, BATCH)):
        started = time.perf_counter(), time.process_time()
        done += len(batch)
        index.write(batch, checkpoint=Checkpoint(log="bench", stories={0: done}))
        wall += time.perf_counter() - started[0]
        cpu += time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{done:,} articles: {done / wall:,.0f} a second, {cpu / done * 1000:.2f} ms CPU each")
    print(f"peak RSS {peak:,.0f} MB; {dict(index.health())}")


def timed(index: Index, requests: Iterator[SearchRequest]) -> list[float]:
    """Milliseconds from asking to the page of 20 hits with their highlights, rising."""
    took: list[float] = []
    until = time.perf_counter() + MAX_SECONDS
    for request in islice(requests, ROUNDS):
        started = time.perf_counter()
        index.search(request)
        took.append((time.perf_counter() - started) * 1000)
        if time.perf_counter() > until:
            break
    return sorted(took)


def measure(index: Index) -> None:
    words = Words(texts(4000), seed=4)
    everything: list[float] = []
    print(f"{'':20}{'searches':>9}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for name, template in QUERIES.items():
        asked = (SearchRequest(query=parse(words.query(template))) for _ in count())
        took = timed(index, asked)
        everything += took
        _print(name, took)
    extras: dict[str, dict[str, Any]] = {
        "relevance": {"sort": "relevance"},
        "facets, histogram": {"facets": ("topic", "source", "lang"), "interval": "1d"},
        "one a story": {"group": True},
    }
    for name, more in extras.items():
        asked = (SearchRequest(query=parse(words.query("{common}")), **more) for _ in count())
        took = timed(index, asked)
        everything += took
        _print(name, took)
    _print("all", sorted(everything))


def _print(name: str, took: Sequence[float]) -> None:
    p50, p99 = took[len(took) // 2], took[math.ceil(len(took) * 0.99) - 1]
    print(f"{name:20}{len(took):>9,}{p50:>9.1f}{p99:>9.1f}{took[-1]:>9.1f}")


def open_index(place: str) -> Index:
    """The index in a folder or at a URL."""
    if "://" not in place:
        return TantivyIndex(Path(place))
    from search.elastic_index import ElasticIndex  # noqa: PLC0415  needs the extra
    from search.elastic_settings import ElasticSettings  # noqa: PLC0415  as above

    return ElasticIndex(ElasticSettings(url=place, prefix="benchmark", answer_seconds=60))


def main(total: int, place: str) -> int:
    """Build, then search."""
    index = open_index(place)
    if index.checkpoint() is None:
        build(index, total)
        index.refresh()
    measure(index)
    index.close()
    return 0


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else ARTICLES
    if len(sys.argv) > 2:
        sys.exit(main(wanted, sys.argv[2]))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(wanted, temporary))

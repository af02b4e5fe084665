"""What searching and indexing cost: 100,000 articles in the embedded index.

Run from the repository's root: ``python -m tests.benchmarks.bench_search [articles] [folder]``.
With a folder the index stays there and is used again.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

from processors.query import parse
from processors.records import StoryRecord
from search.index import Checkpoint, SearchRequest
from search.tantivy_index import TantivyIndex
from tests.benchmarks.bench_matching import texts
from tests.story_records import SEEN, story

ARTICLES = 100_000
ROUNDS = 15
BATCH = 500
SOURCES = [f"source{number}.example" for number in range(400)]
QUERIES = {
    "word, common": "government",
    "word, rare": "ceasefire",
    "two words": "government election",
    "phrase": '"prime minister"',
    "or of five": "truce OR ceasefire OR election OR hostage OR troops",
    "not": "election NOT labour",
    "not alone": "NOT government",
    "at least": "ATLEAST/3(election minister party vote labour)",
    "prefix": "elect*",
    "suffix": "*ment",
    "prefix in phrase": '"prime minist*"',
    "near 5": "government NEAR/5 election",
    "near 50": "government NEAR/50 election",
    "near, wildcard": "elect* NEAR/5 govern*",
    "same sentence": "government SAMESENT election",
    "not within": 'minister NOT WITHIN "prime minister"',
    "with its case": "=US",
    "phrase with case": '"=US government"',
    "title": "title:government",
    "source": "source:source7.example election",
}


def records(count: int) -> Iterator[StoryRecord]:
    """Different articles: each begins with half of one text and goes on with half of another."""
    corpus = texts(4000)
    chance = random.Random(3)
    for number in range(count):
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


def build(index: TantivyIndex, count: int) -> None:
    made = records(count)
    done, wall, cpu = 0, 0.0, 0.0
    while batch := list(islice(made, BATCH)):
        started = time.perf_counter(), time.process_time()
        done += len(batch)
        index.write(batch, checkpoint=Checkpoint(log="bench", stories=done))
        wall += time.perf_counter() - started[0]
        cpu += time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{done:,} articles: {done / wall:,.0f} a second, {cpu / done * 1000:.2f} ms CPU each")
    print(f"peak RSS {peak:,.0f} MB; {dict(index.health())}")


def timed(index: TantivyIndex, request: SearchRequest) -> list[float]:
    """Milliseconds of this thread's CPU: a neighbour's load does not count."""
    took = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        index.search(request)
        took.append((time.thread_time() - started) * 1000)
    return sorted(took)


def measure(index: TantivyIndex) -> None:
    print(f"{'':22}{'found':>8}{'p50 ms':>9}{'max ms':>9}{'bare p50':>10}")
    for name, text in QUERIES.items():
        query = parse(text)
        request = SearchRequest(query=query)
        bare = SearchRequest(query=query, highlights=False, size=1)
        found = index.search(request)
        took = timed(index, request)
        least = timed(index, bare)
        sign = "" if found.relation == "eq" else "+"
        print(
            f"{name:22}{found.total:>7,}{sign:1}{took[ROUNDS // 2]:>9.2f}{took[-1]:>9.2f}"
            f"{least[ROUNDS // 2]:>10.2f}"
        )
    extras = {
        "relevance": SearchRequest(query=parse("government election"), sort="relevance"),
        "facets, histogram": SearchRequest(
            query=parse("government"), facets=("topic", "source", "lang"), interval="1d"
        ),
        "one a story": SearchRequest(query=parse("government"), group=True),
    }
    for name, request in extras.items():
        took = timed(index, request)
        print(f"{name:30}{took[ROUNDS // 2]:>9.2f}{took[-1]:>9.2f}")


def main(count: int, folder: Path) -> int:
    """Build, then search."""
    index = TantivyIndex(folder)
    if index.checkpoint() is None:
        build(index, count)
    measure(index)
    index.close()
    return 0


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else ARTICLES
    if len(sys.argv) > 2:
        sys.exit(main(wanted, Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(wanted, Path(temporary)))

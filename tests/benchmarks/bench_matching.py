"""What matching costs: 1,000, 10,000 and 100,000 stored queries against the floor.

Run from the repository's root: ``python -m tests.benchmarks.bench_matching``. The floor is what
nothing can avoid: analysing the text and one pass of the automaton that finds nothing. All figures
come from one run on one core; the ratios are what is judged.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick, Implementation

from processors.analysis import analyse
from processors.document import Document
from processors.matcher import Matcher
from processors.query import parse
from processors.query_tree import Query
from processors.reference import matches

ARTICLES = 300
SIZES = (1_000, 10_000, 100_000)
MAX_TO_FLOOR = 8.0
MAX_TO_THOUSAND = 6.0
SEED = 1
_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "text" / "bbc.jsonl.gz"
_NAME = re.compile(r"\b[A-Z][a-z]{2,}(?: (?:of |the )?[A-Z][a-z]{2,}){1,2}\b")


def texts(count: int) -> list[str]:
    """News texts: the evaluation data where it is there, else made of random words."""
    if _DATA.is_file():
        with gzip.open(_DATA, "rt", encoding="utf-8") as lines:
            return [str(json.loads(line)["text"]) for line in lines][:count]
    rnd = random.Random(SEED)
    words = ["".join(rnd.choices("aeiounrstlmd", k=rnd.randint(2, 9))) for _ in range(30_000)]
    weights = list(accumulate(1 / (rank + 5) for rank in range(len(words))))
    return [_invented(rnd, words, weights) for _ in range(count)]


def _invented(rnd: random.Random, words: Sequence[str], weights: Sequence[float]) -> str:
    chosen = rnd.choices(words, cum_weights=weights, k=380)
    return " ".join(word.title() if rnd.random() < 0.12 else word for word in chosen)


class QueryMaker:
    """Queries as press watchers write them: mostly names, alone or with words beside them."""

    def __init__(self, corpus: Sequence[str], *, seed: int) -> None:
        self._rnd = random.Random(seed)
        names = Counter(name for text in corpus for name in set(_NAME.findall(text)))
        words = Counter(word for text in corpus for word in set(analyse(text).words))
        most = 0.15 * len(corpus)
        self._words = [w for w, n in words.items() if 3 <= n <= most and w.isalpha() and w[2:]]
        self._word_weights = list(accumulate(words[word] ** 0.5 for word in self._words))
        # Half of the names never occur: the second word of one with the first of another.
        known = list(names)
        others = [f"{a.split()[0]} {b.split()[-1]}" for a, b in pairwise(known)]
        self._names = known + others
        weights = [names[name] ** 0.75 for name in known]
        self._name_weights = list(accumulate(weights + weights[1:]))

    def name(self) -> str:
        return f'"{self._rnd.choices(self._names, cum_weights=self._name_weights)[0]}"'

    def word(self) -> str:
        return self._rnd.choices(self._words, cum_weights=self._word_weights)[0]

    def leaf(self) -> str:
        return self.name() if self._rnd.random() < 0.45 else self.word()

    def either(self, least: int, most: int, make: Callable[[], str]) -> str:
        return f"({' OR '.join(make() for _ in range(self._rnd.randint(least, most)))})"

    def query(self) -> str:  # noqa: PLR0911 - one return for each form
        """One query of the mix of eight forms, four leaves on average."""
        kind = self._rnd.random()
        if kind < 0.25:
            return self.name()
        if kind < 0.50:
            return " ".join([self.name(), *(self.word() for _ in range(self._rnd.randint(1, 2)))])
        if kind < 0.70:
            return f"{self.either(2, 5, self.leaf)} {self.either(2, 6, self.leaf)}"
        if kind < 0.85:
            barred = self.either(1, 3, self.leaf)
            return f"{self.leaf()} {self.either(2, 5, self.leaf)} NOT {barred}"
        if kind < 0.93:
            near = f"{self.word()} NEAR/{self._rnd.choice((5, 10, 20))} {self.leaf()}"
            return f"({near}) {self.leaf()}" if self._rnd.random() < 0.5 else near
        if kind < 0.97:
            return f"title:{self.word()} {self.leaf()}"
        return self.either(8, 20, self.name)


def cost(call: Callable[[str], object], corpus: Sequence[str], *, rounds: int = 5) -> float:
    """Milliseconds of processor time a text: each text's best of some rounds, so that neighbours
    on the machine disturb little.
    """
    least = [float("inf")] * len(corpus)
    for _ in range(rounds):
        for place, text in enumerate(corpus):
            start = time.perf_counter()
            call(text)
            least[place] = min(least[place], time.perf_counter() - start)
    return sum(least) / len(corpus) * 1000


def read(text: str) -> Document:
    """A document of a text whose first six words are its title."""
    words = text.split(" ", 6)
    return Document(analyse(" ".join(words[:6])), analyse(words[-1]))


def floor(corpus: Sequence[str]) -> float:
    """Milliseconds an article for analysis and a scan that finds nothing."""
    rnd = random.Random(SEED)
    nowhere = {" " + "".join(rnd.choices("qxzjkvw", k=9)) + " " for _ in range(40_000)}
    automaton = BytesAhoCorasick(
        [one.encode() for one in nowhere], implementation=Implementation.ContiguousNFA
    )

    def scan(text: str) -> None:
        document = read(text)
        joined = f"{document.title.joined} {document.body.joined}".encode()
        automaton.find_matches_as_indexes(joined, overlapping=True)

    return cost(scan, corpus)


def measure(queries: dict[str, Query], corpus: Sequence[str]) -> float:
    """Milliseconds an article for everything, from text to ids; prints a line."""
    start = time.process_time()
    matcher = Matcher(queries)
    built = time.process_time() - start
    found = sum(len(matcher.match(read(text))) for text in corpus) / len(corpus)
    taken = cost(lambda text: matcher.match(read(text)), corpus)
    print(f"{len(queries):7,} queries: {taken:.3f} ms an article, {found:.1f} matches, "
          f"built in {built:.1f} s")  # fmt: skip
    return taken


def brute_force(queries: dict[str, Query], corpus: Sequence[str]) -> float:
    """Milliseconds an article for asking every query by itself."""

    def ask(text: str) -> None:
        document = read(text)
        for query in queries.values():
            matches(query, document)

    return cost(ask, corpus, rounds=1)


def main() -> int:
    """Print the table; 1 where a ratio is above its bar."""
    corpus = texts(ARTICLES)
    maker = QueryMaker(texts(2_000), seed=SEED)
    start = time.process_time()
    queries = {str(number): parse(maker.query()) for number in range(SIZES[-1])}
    print(f"parsed {len(queries):,} queries in {time.process_time() - start:.1f} s")
    ground = floor(corpus)
    print(f"  floor        : {ground:.3f} ms an article")
    taken = {size: measure(dict(list(queries.items())[:size]), corpus) for size in SIZES}
    some = dict(list(queries.items())[:1_000])
    print(f"  1,000 queries one by one: {brute_force(some, corpus[:20]):.1f} ms an article")
    to_floor, to_thousand = taken[SIZES[-1]] / ground, taken[SIZES[-1]] / taken[SIZES[0]]
    print(f"T(100,000) / floor    = {to_floor:.1f} (bar {MAX_TO_FLOOR:g})")
    print(f"T(100,000) / T(1,000) = {to_thousand:.1f} (bar {MAX_TO_THOUSAND:g})")
    return int(to_floor > MAX_TO_FLOOR or to_thousand > MAX_TO_THOUSAND)


if __name__ == "__main__":
    sys.exit(main())

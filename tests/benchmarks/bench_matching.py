"""What matching costs: 1,000, 10,000 and 100,000 stored queries against the floor.

Run from the repository's root: ``python -m tests.benchmarks.bench_matching``. The floor is what
nothing can avoid: analysing the text and one pass of an automaton of that size which finds
nothing. All figures come from one run on one core; the ratios are what is judged.
"""

from __future__ import annotations

import gc
import gzip
import json
import random
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, islice, pairwise
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick, Implementation

from processors.analysis import analyse
from processors.document import Document
from processors.leaves import literal
from processors.matcher import Matcher
from processors.query import parse
from processors.query_tree import Query, Term, walk
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
        names = Counter(name for text in corpus for name in sorted(set(_NAME.findall(text))))
        words = Counter(word for text in corpus for word in sorted(set(analyse(text).words)))
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


def costs(
    calls: Sequence[Callable[[str], object]], corpus: Sequence[str], *, rounds: int = 7
) -> list[float]:
    """Milliseconds a text of each of ``calls``.

    They take turns on every text, another one first in each round, and each text's best of the
    rounds counts: what else the machine does disturbs all of them alike, and little.
    """
    least = [[float("inf")] * len(corpus) for _ in calls]
    turns = deque(zip(calls, least, strict=True))
    for _ in range(rounds):
        turns.rotate(1)
        for place, text in enumerate(corpus):
            for call, found in turns:
                start = time.perf_counter()
                call(text)
                found[place] = min(found[place], time.perf_counter() - start)
    return [sum(found) / len(corpus) * 1000 for found in least]


def read(text: str) -> Document:
    """A document of a text whose first six words are its title."""
    words = text.split(" ", 6)
    return Document(analyse(" ".join(words[:6])), analyse(words[-1]))


def floor(queries: Iterable[Query]) -> Callable[[str], object]:
    """Analysis of a text and a scan that finds nothing.

    The automaton is as big as that of ``queries``, of the same words, each made impossible by its
    last letters (several, lest the automaton look for one rare letter only).
    """
    rnd = random.Random(SEED)
    nodes = (node for query in queries for node in walk(query.root))
    literals = {literal(node)[0] for node in nodes if isinstance(node, Term)}
    nowhere = [f"{one.rstrip()}q{''.join(rnd.choices('bcdfghjklmnp', k=3))} " for one in literals]
    automaton = BytesAhoCorasick(
        [one.encode() for one in nowhere], implementation=Implementation.ContiguousNFA
    )

    def scan(text: str) -> None:
        document = read(text)
        joined = f" {document.title.joined} {document.body.joined} ".encode()
        if automaton.find_matches_as_indexes(joined, overlapping=True):
            raise AssertionError("found what cannot be there")

    return scan


def engine(queries: Mapping[str, Query]) -> Callable[[str], list[str]]:
    """Everything from text to ids, with all of ``queries``; prints what building took."""
    start = time.perf_counter()
    matcher = Matcher(queries)
    print(f"{len(queries):7,} queries built in {time.perf_counter() - start:.1f} s")
    return lambda text: matcher.match(read(text))


def one_by_one(queries: Mapping[str, Query]) -> Callable[[str], object]:
    """Asking every query by itself."""

    def ask(text: str) -> int:
        document = read(text)
        return sum(matches(query, document) for query in queries.values())

    return ask


def main() -> int:
    """Print the table; 1 where a ratio is above its bar."""
    corpus = texts(ARTICLES)
    maker = QueryMaker(texts(2_000), seed=SEED)
    start = time.perf_counter()
    queries = {str(number): parse(maker.query()) for number in range(SIZES[-1])}
    print(f"{len(queries):7,} queries parsed in {time.perf_counter() - start:.1f} s")
    some = [dict(islice(queries.items(), size)) for size in SIZES]
    engines = [engine(one) for one in some]
    gc.collect()
    gc.freeze()
    ground, *taken = costs([floor(queries.values()), *engines], corpus)
    (plain,) = costs([one_by_one(some[0])], corpus[:20], rounds=1)
    print(f"  floor        : {ground:.3f} ms an article")
    for size, one, match in zip(SIZES, taken, engines, strict=True):
        found = sum(len(match(text)) for text in corpus) / len(corpus)
        print(f"{size:7,} queries: {one:.3f} ms an article, {found:.1f} matches")
    print(f"  1,000 queries one by one: {plain:.1f} ms an article")
    to_floor, to_thousand = taken[-1] / ground, taken[-1] / taken[0]
    print(f"T(100,000) / floor    = {to_floor:.1f} (bar {MAX_TO_FLOOR:g})")
    print(f"T(100,000) / T(1,000) = {to_thousand:.1f} (bar {MAX_TO_THOUSAND:g})")
    return int(to_floor > MAX_TO_FLOOR or to_thousand > MAX_TO_THOUSAND)


if __name__ == "__main__":
    sys.exit(main())

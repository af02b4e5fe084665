"""F46, the search's part: what the parser lets through is answered or refused in bounded time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 4.0

CHILD = """
import random, sys, time
from pathlib import Path
from ingest.errors import QueryError
from processors.query import parse
from search.index import SearchRequest
from search.tantivy_index import TantivyIndex
from tests.story_records import story

chance = random.Random(1)
letters = "abcdefghijklmnopqrstuvwxyz"
words = ["".join(chance.choices(letters, k=chance.randint(1, 9))) for _ in range(8000)]
index = TantivyIndex(Path(sys.argv[1]))
index.write(
    [story(f"{n:05}", " ".join(chance.choices(words, k=120)), order=n) for n in range(3000)]
)
started = time.thread_time()
try:
    found = index.search(SearchRequest(query=parse(eval(sys.argv[2])), group=True))
    print("found", found.total, found.relation, end=" ")
except QueryError as error:
    assert error.hint and error.caret is not None
    print("refused:", error.sentence, end=" ")
print(f"{time.thread_time() - started:.2f}")
"""

HOSTILE = {
    "many parentheses": "'(' * 100_000 + 'a' + ')' * 100_000",
    "nested as deep as may be": "'(a OR (b AND ' * 9 + 'c' + '))' * 9",
    "chain of NOTs": "'NOT ' * 19 + 'a'",
    "pairs of NOT and AND": "'NOT (a AND ' * 10 + 'b' + ')' * 10",
    "one megabyte": "'a ' * 500_000",
    "stars in one word": "'*a' * 60 + '*'",
    "question marks behind a star": "'*a' + '?' * 100",
    "question marks beyond the automaton": "'a' + '?' * 500",
    "many letters and stars": "''.join(f'{x}*' for x in 'abcdefghijklmnopqrstuvwxyz' * 9)",
    "every leading wildcard": "' OR '.join('*' + x for x in 'abcdefghijklmnopqrstuvwxyz')",
    "every first letter": "' OR '.join(x + '*' for x in 'abcdefghijklmnopqrstuvwxyz')",
    "wide NEAR": "'s* NEAR/5 t*'",
    "wide NEAR in a phrase": '\'"*a *b *c" NEAR/50 "*d *e"\'',
    "the most that NEAR lets through": "'sa* NEAR/20 ta*'",
    "sentence of everything": "'NOT zzz SAMESENT yyy'",
    "256 words": "' OR '.join(f'w{n}' for n in range(256))",
    "256 prefixes": "' OR '.join(f'{chr(97 + n % 26)}{chr(97 + n // 26)}*' for n in range(256))",
    "256 jokers": "' '.join(f'*{chr(97 + n % 26)}??????' for n in range(256))",
    "engine's own syntax": "'body:/.*/ id:* _source:a^9 [a TO z] {!x} record:\"x\"~5'",
    "a word of the engine's store": "'kind:article'",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_f46_a_hostile_search_ends_in_bounded_time(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "index"), HOSTILE[name]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    print(name, done.stdout)
    assert float(done.stdout.split()[-1]) < SECONDS, done.stdout

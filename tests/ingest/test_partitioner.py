from __future__ import annotations

import pytest

from ingest.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_the_one_of_kafkas_own_tests(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed % 2**32


def test_keys_spread_over_all_partitions_and_stay_where_they_are() -> None:
    placed = [partition_of(f"key {n}", 8) for n in range(800)]
    assert {placed.count(number) > 50 for number in range(8)} == {True}
    assert placed == [partition_of(f"key {n}", 8) for n in range(800)]
    assert partition_of("anything", 1) == 0

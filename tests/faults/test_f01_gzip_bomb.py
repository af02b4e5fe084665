from __future__ import annotations

from tests.evil import EvilServer, bomb
from tests.fetching import MAX_RESIDENT_BYTES, measured_fetch, refusal_beside_a_neighbour


async def test_f01_gzip_bomb_is_refused_at_15_mb_and_never_held() -> None:
    assert len(bomb()) < 1_100_000
    async with EvilServer() as server:
        found = await measured_fetch(server, "/gzip-bomb")
    assert found["sentence"] == "Refused: body larger than 15 MB unpacked."
    assert found["peak"] < MAX_RESIDENT_BYTES


async def test_f01_neighbour_is_read_on_time_beside_a_gzip_bomb() -> None:
    bomb()
    async with EvilServer() as server:
        error = await refusal_beside_a_neighbour(server, "/gzip-bomb")
    assert error.code == "too-large"
    assert error.retry

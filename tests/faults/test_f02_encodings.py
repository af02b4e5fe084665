from __future__ import annotations

import pytest

from tests.evil import EvilServer, bomb
from tests.fetching import MAX_RESIDENT_BYTES, measured_fetch, refusal_beside_a_neighbour


async def test_f02_gzip_in_gzip_is_refused_and_never_unpacked() -> None:
    bomb()
    async with EvilServer() as server:
        found = await measured_fetch(server, "/gzip-bomb2")
    assert found["sentence"] == "Refused: encoding gzip, gzip."
    assert found["peak"] < MAX_RESIDENT_BYTES


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/stacked-headers", "Refused: encoding gzip, gzip."),
        ("/brotli", "Refused: encoding br."),
        ("/zstd", "Refused: encoding zstd."),
        ("/lying-gzip", "Refused: encoding gzip, which the body is not in."),
    ],
)
async def test_f02_an_encoding_we_did_not_ask_for_is_refused_by_name(
    path: str, sentence: str
) -> None:
    async with EvilServer() as server:
        error = await refusal_beside_a_neighbour(server, path)
    assert error.sentence == sentence

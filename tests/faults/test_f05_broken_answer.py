from __future__ import annotations

import pytest

from tests.evil import EvilServer
from tests.fetching import MAX_RESIDENT_BYTES, measured_fetch, refusal_beside_a_neighbour


@pytest.mark.parametrize(
    "path", ["/long-length", "/rst", "/cut-chunks", "/gzip-cut", "/close", "/garbage"]
)
async def test_f05_an_answer_that_does_not_arrive_whole_gives_no_body_and_no_etag(
    path: str,
) -> None:
    # An error, never a result: so neither a part of the body nor a validator can be kept.
    async with EvilServer() as server:
        error = await refusal_beside_a_neighbour(server, path)
    assert error.sentence.startswith("Connection broke")
    assert error.retry


@pytest.mark.parametrize("path", ["/flood-headers", "/huge-header"])
async def test_f05_a_flood_of_headers_is_cut_off(path: str) -> None:
    async with EvilServer() as server:
        found = await measured_fetch(server, path)
        sent = server.sent[path]
    assert found["sentence"].startswith("Connection broke")
    assert sent < 10_000_000
    assert found["peak"] < MAX_RESIDENT_BYTES

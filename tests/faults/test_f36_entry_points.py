"""F36: without a broker, or without Elasticsearch, every command ends with one sentence."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from deploy.servers.ports import free_port
from tests.running import COMMAND, Place

pytestmark = pytest.mark.timeout(300)

STAGES = ("poll", "tag", "group", "index", "alert")
ENTRIES = (
    *(("stage", name) for name in STAGES),
    ("serve",),
    ("setup",),
    ("search", "ceasefire"),
    ("feeds", "list"),
)
NEED_INDEX = (
    ("stage", "index"),
    ("serve",),
    ("setup",),
    ("search", "ceasefire"),
    ("feeds", "list"),
)
AT_ONCE = 3
FOR_EVER = 3600.0
"""What a client may wait for a server: who waits so long at all fails by the test's time limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    status: int | None
    out: str
    err: str
    seconds: float


async def ended(place: Place, verb: Sequence[str], gate: asyncio.Semaphore) -> Ended:
    async with gate:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, *COMMAND, *place.arguments(*verb),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=place.environment(), cwd=place.folder,
        )  # fmt: skip
        out, err = await process.communicate()
    seconds = time.monotonic() - began
    return Ended(status=process.returncode, out=out.decode(), err=err.decode(), seconds=seconds)


async def all_ended(place: Place, verbs: Iterable[Sequence[str]]) -> dict[tuple[str, ...], Ended]:
    gate = asyncio.Semaphore(AT_ONCE)
    given = [tuple(verb) for verb in verbs]
    found = await asyncio.gather(*(ended(place, verb, gate) for verb in given))
    return dict(zip(given, found, strict=True))


def place_of(folder: Path, *, kafka: str, elasticsearch: str) -> Place:
    settings = {
        "log.backend": "kafka",
        "log.bootstrap": kafka,
        "log.connect_seconds": FOR_EVER,
        "log.prefix": f"absent-{uuid4().hex[:8]}.",
        "index.backend": "elasticsearch",
        "index.url": elasticsearch,
        "index.answer_seconds": FOR_EVER,
        "index.prefix": f"absent-{uuid4().hex[:8]}",
        "api.port": free_port(),
        "stage.metrics_port": 0,
    }
    return Place(folder=folder, settings=settings)


def assert_one_sentence(one: Ended, *, naming: str, remedy: str) -> None:
    assert one.status == 1, one
    sentence, hint = one.err.splitlines()
    assert sentence.startswith("wirewatch: ")
    assert naming in sentence
    assert remedy in hint
    assert one.out == ""


async def test_f36_without_a_broker_every_command_says_where_it_looked_and_what_to_do(
    tmp_path: Path,
) -> None:
    kafka, url = f"127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    place = place_of(tmp_path, kafka=kafka, elasticsearch=url)

    found = await all_ended(place, ENTRIES)

    for verb, one in found.items():
        print(f"{' '.join(verb):<16} {one.seconds:.1f} s")
        assert_one_sentence(
            one, naming=f"Kafka is not reachable at {kafka}.", remedy='[log] backend = "sqlite"'
        )


async def test_f36_without_elasticsearch_what_needs_it_says_so(tmp_path: Path, kafka: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    place = place_of(tmp_path, kafka=kafka, elasticsearch=url)
    (made,) = (await all_ended(place, [("setup",)])).values()
    assert f"Elasticsearch is not reachable at {url}." in made.err
    assert [line.split()[0] for line in made.out.splitlines()] == ["kafka", "topics"]

    found = await all_ended(place, [verb for verb in NEED_INDEX if verb != ("setup",)])

    for one in found.values():
        assert_one_sentence(
            one, naming=f"Elasticsearch is not reachable at {url}.", remedy="[index] url"
        )


async def test_f36_the_doctor_fails_the_rows_of_what_is_away_and_tells_the_others(
    tmp_path: Path, kafka: str
) -> None:
    nobody, url = f"127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    gate = asyncio.Semaphore(AT_ONCE)
    both, index = [
        place_of(tmp_path, kafka=address, elasticsearch=url) for address in (nobody, kafka)
    ]
    await ended(index, ("setup",), gate)
    without = [await ended(place, ("doctor", "--json"), gate) for place in (both, index)]
    assert [one.status for one in without] == [1, 1]
    assert [one.err for one in without] == ["", ""]
    away, half = ({row["name"]: row for row in map(json.loads, one.out.splitlines())}
                  for one in without)  # fmt: skip
    assert {name for name, row in away.items() if row["state"] == "fail"} == {"log", "index"}
    assert nobody in away["log"]["sentence"]
    assert url in away["index"]["sentence"]
    assert away["log"]["remedy"]
    assert away["index"]["remedy"]
    assert {name for name, row in half.items() if row["state"] == "fail"} == {"index"}
    assert {"python", "network", "log", "topics", "feeds"} <= set(half)

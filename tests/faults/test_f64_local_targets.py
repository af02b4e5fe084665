"""F64: nobody on the network makes Wirewatch write a file or reach into the local network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import UsageError
from tests.alerting import Newsdesk, story
from tests.receiver import Receiver


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path, allow=())
    yield made
    made.close()


@pytest.mark.parametrize(
    "target", ["file:{0}/x.jsonl", "file:{0}/out/../x", "file:/etc/passwd", "file:x", "stdout:"]
)
def test_f64_a_local_target_from_the_network_is_refused(desk: Newsdesk, target: str) -> None:
    with pytest.raises(UsageError) as caught:
        desk.subscribe("s", to=target.format(desk.folder), from_network=True)
    assert caught.value.sentence
    assert desk.store.all() == []
    assert not (desk.folder / "x.jsonl").exists()


def test_f64_an_edit_over_the_network_is_held_to_the_same(desk: Newsdesk) -> None:
    desk.subscribe("s", to="https://example.org/hook")
    with pytest.raises(UsageError, match="not accepted over the network"):
        desk.store.edit("s", to=[f"file:{desk.folder}/x"], from_network=True)


def test_f64_below_the_folder_for_alerts_a_file_is_accepted(desk: Newsdesk) -> None:
    assert desk.subscribe("s", to=f"file:{desk.folder}/out/a.jsonl", from_network=True)


async def test_f64_a_receiver_in_the_local_network_gets_no_connection(tmp_path: Path) -> None:
    async with Receiver() as decoy, Newsdesk(folder=tmp_path, allow=()) as desk:
        port = decoy.host.rpartition(":")[2]
        hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f.1"]
        urls = [f"https://{host}:{port}/" for host in hosts] + ["https://169.254.169.254/"]
        for number, url in enumerate(urls):
            desk.subscribe(f"s{number}", to=url)
        with pytest.raises(UsageError, match="not encrypted"):
            desk.subscribe("plain", to=decoy.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        assert decoy.got == []
        errors = [one.attempts[0].error for one in desk.alerts()]
        assert len(errors) == len(urls)
        assert all("private address" in error for error in errors)

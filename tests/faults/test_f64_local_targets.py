"""F64: nobody on the network makes Wirewatch write a file or reach into the local network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import UsageError
from ingest.sandbox import Sandbox
from ingest.settings import ParseSettings
from tests.alerting import Newsdesk, story
from tests.receiver import Receiver
from tests.shell import client, opened


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


FROM_THE_NETWORK = (
    "file:/tmp/x", "file:x", "file:{0}/out/../x", "stdout:", "kafka:desk", "syslog://x", "dbus://x",
    "macosx://x", "windows://x", "gnome://x", "apprise://127.0.0.1:{1}/x",
    "http://127.0.0.1:{1}/", "https://127.0.0.1:{1}/", "https://localhost:{1}/",
    "https://[::1]:{1}/", "https://[::ffff:127.0.0.1]:{1}/", "https://127.1:{1}/",
    "https://2130706433:{1}/", "https://0x7f.1:{1}/", "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/", "https://[fe80::1]/", "json://127.0.0.1:{1}/", "json://localhost:{1}/",
    "json://[::1]:{1}/", "json://169.254.169.254/", "ntfy://localhost:{1}/topic",
    "mailto://me:word@127.0.0.1:{1}/?to=jane@example.org", "mailto:a@b.example\nBcc: c@d.example",
    "irc://localhost:{1}/room", "gopher://127.0.0.1:{1}/", "unix:/run/x", "channel:x/y",
)  # fmt: skip


async def test_f64_what_comes_over_the_network_reaches_nothing_here(tmp_path: Path) -> None:
    """Row F64 through the API, as a subscription's target, as a channel's and as its new one."""
    async with Receiver() as decoy, opened(tmp_path) as shell, client(shell) as api:
        good = "https://hooks.example/x"
        await api.post("/api/channels", json={"name": "desk", "target": good})
        await api.post("/api/subscriptions", json={"name": "a", "query": "truce", "to": [good]})
        for number, form in enumerate(FROM_THE_NETWORK):
            target = form.format(tmp_path, decoy.port)
            body = {"name": f"s{number}", "query": "truce", "to": [target]}
            for answer in (
                await api.post("/api/subscriptions", json=body),
                await api.patch("/api/subscriptions/a", json={"to": [target]}),
                await api.post("/api/channels", json={"name": f"c{number}", "target": target}),
                await api.patch("/api/channels/desk", json={"target": target}),
            ):
                assert answer.status_code == 400, target
                assert answer.json()["detail"], target
        assert [one.name for one in shell.subscriptions.all()] == ["a"]
        assert [one.target for one in shell.subscriptions.channels.all()] == [good]
        assert decoy.got == []
        assert not (tmp_path / "x").exists()


async def test_f64_a_private_address_behind_a_name_gets_no_connection(tmp_path: Path) -> None:
    """What no look at the target can tell is told when it is connected to."""
    async with Receiver() as decoy, Newsdesk(folder=tmp_path, allow=()) as desk:
        port = decoy.host.rpartition(":")[2]
        for number, target in enumerate(
            (f"https://ip6-localhost:{port}/", f"json://ip6-localhost:{port}/")
        ):
            desk.subscribe(f"s{number}", to=target)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        assert decoy.got == []
        assert len(desk.alerts()) == 2
        for alert in desk.alerts():
            (attempt,) = alert.attempts
            assert attempt.error


async def test_f64_apprise_uses_the_very_answer_that_was_checked() -> None:
    """A name that changes its answer, or mixes them, gets no connection inside (rebinding)."""
    settings = ParseSettings(seconds=10)
    sandbox = Sandbox("tests.rebinding_target:answer", settings=settings, network=True)
    async with Receiver() as decoy:
        try:
            found = await sandbox.call({"port": decoy.port}, b"")
        finally:
            await sandbox.close()
        assert found == {"mixed": "blocked", "rebinding": "blocked", "direct": "blocked"}
        assert decoy.got == []

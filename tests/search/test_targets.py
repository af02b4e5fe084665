"""Targets as people write them and as they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import UsageError
from ingest.guard import Guard
from ingest.settings import NetSettings
from search.secrets import Secrets
from search.subscriptions import redacted
from search.targets import Targets
from tests.alerting import Newsdesk

CHATS = ("ntfy://me:first-word@ntfy.example/a", "ntfy://me:second-word@ntfy.example/b")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path)
    yield made
    made.close()


def test_an_edit_keeps_targets_that_look_the_same_without_their_secrets(desk: Newsdesk) -> None:
    made = desk.store.add(name="truce", query="truce", to=CHATS)
    assert [redacted(one) for one in made.to] == ["ntfy://***", "ntfy://***"]
    after = desk.store.edit("truce", to=["ntfy://***", "stdout:", "ntfy://***"])
    assert after.to == (made.to[0], "stdout:", made.to[1])
    with pytest.raises(UsageError, match="left out"):
        desk.store.edit("truce", to=["ntfy://***"] * 3)


def test_what_is_not_set_up_is_refused_with_what_to_set(tmp_path: Path) -> None:
    bare = Targets(secrets=Secrets(tmp_path), guard=Guard(), folder=None, can=frozenset())
    for target, named in (("mailto:jane@example.org", "[mail]"), ("kafka:desk", "many-machines")):
        with pytest.raises(UsageError) as caught:
            bare.stored([target], known=(), from_network=False)
        assert named in caught.value.hint
    full = Targets(
        secrets=Secrets(tmp_path), guard=Guard(), folder=None, can=frozenset({"mail", "kafka"})
    )
    both = ("mailto:jane@example.org", "kafka:desk")
    assert full.stored(both, known=(), from_network=False) == both


@pytest.mark.parametrize("name", ["", "..", "A", "../alerts", "alerts/x", "x" * 200, "wire watch"])
def test_a_topic_stays_below_ours(tmp_path: Path, name: str) -> None:
    full = Targets(secrets=Secrets(tmp_path), guard=Guard(), folder=None, can=frozenset({"kafka"}))
    with pytest.raises(UsageError):
        full.stored([f"kafka:{name}"], known=(), from_network=False)


def test_a_chat_server_of_ones_own_is_allowed_by_name(tmp_path: Path) -> None:
    guard = Guard(NetSettings(allow=("10.1.2.3:8080",)))
    targets = Targets(secrets=Secrets(tmp_path), guard=guard, folder=None)
    assert targets.stored(["ntfy://10.1.2.3:8080/desk"], known=(), from_network=True)
    with pytest.raises(UsageError, match="private address"):
        targets.stored(["ntfy://10.1.2.3/desk"], known=(), from_network=True)


def test_there_are_not_endlessly_many(tmp_path: Path) -> None:
    targets = Targets(secrets=Secrets(tmp_path), guard=Guard(), folder=None)
    with pytest.raises(UsageError, match="at most 50"):
        targets.stored([f"https://x{n}.example/" for n in range(51)], known=(), from_network=True)
    with pytest.raises(UsageError):
        targets.stored([f"ntfy://{'x' * 3000}"], known=(), from_network=True)

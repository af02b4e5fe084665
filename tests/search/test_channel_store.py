"""Named channels: made, used, changed and removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.errors import NotFoundError, UsageError
from ingest.log import NewRecord
from search.caller import Caller
from search.channel_health import all_endpoints, enabled, endpoint_of
from search.channel_store import signing_secrets
from tests.alerting import Clock, Newsdesk, story
from tests.receiver import Receiver

JANE, JOE = (Caller(owner=name, scopes=frozenset({"read", "write"})) for name in ("jane", "joe"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path)
    yield made
    made.close()


def test_a_channel_is_found_by_name_and_by_id(desk: Newsdesk) -> None:
    made = desk.store.channels.add(name="desk", target="mailto:desk@example.org")
    for which in ("desk", made.id):
        assert desk.store.channels.get(which).listed == made.listed
    assert [one.id for one in desk.store.channels.all()] == [made.id]
    with pytest.raises(NotFoundError, match="no channel other"):
        desk.store.channels.get("other")


@pytest.mark.parametrize("name", ["", "two words", "a:b", "-x", "x" * 65, "a/b", "ä", "channel:x"])
def test_a_name_is_one_word(desk: Newsdesk, name: str) -> None:
    with pytest.raises(UsageError):
        desk.store.channels.add(name=name, target="stdout:")


def test_a_name_is_taken_once_by_each_owner(desk: Newsdesk) -> None:
    store = desk.store.channels
    for who in (JANE, JOE):
        store.add(name="desk", target="mailto:desk@example.org", who=who)
        with pytest.raises(UsageError, match="already"):
            store.add(name="desk", target="mailto:other@example.org", who=who)


def test_nobody_sees_or_uses_the_channel_of_another(desk: Newsdesk) -> None:
    made = desk.store.channels.add(name="desk", target="mailto:desk@example.org", who=JANE)
    assert desk.store.channels.all(who=JOE) == []
    for which in ("desk", made.id):
        with pytest.raises(NotFoundError):
            desk.store.channels.get(which, who=JOE)
    for stolen in ("desk", made.listed, f"channel:{made.id}/x"):
        with pytest.raises((NotFoundError, UsageError)):
            desk.store.add(name="mine", query="truce", to=[stolen], who=JOE)
    assert desk.store.add(name="hers", query="truce", to=["desk"], who=JANE).to == (made.listed,)


def test_a_channel_leads_to_no_other_channel(desk: Newsdesk) -> None:
    desk.store.channels.add(name="one", target="stdout:")
    with pytest.raises(UsageError, match="no address"):
        desk.store.channels.add(name="two", target="one")


def test_one_in_use_is_kept_with_the_names_of_its_users(desk: Newsdesk) -> None:
    desk.store.channels.add(name="desk", target="stdout:")
    for name in ("truce", "arms"):
        desk.subscribe(name, to="desk")
    with pytest.raises(UsageError, match="used by: arms, truce"):
        desk.store.channels.remove("desk")
    for name in ("truce", "arms"):
        desk.store.remove(name)
    desk.store.channels.remove("desk")
    assert desk.store.channels.all() == []


def test_secrets_of_a_target_are_references(desk: Newsdesk) -> None:
    store = desk.store.channels
    for name, target in (
        ("hook", "https://hooks.example/in?token=c4nary-c4nary-c4nary"),
        ("chat", "ntfy://me:c4nary-c4nary-c4nary@ntfy.example/alerts"),
    ):
        shown = store.view(store.add(name=name, target=target))
        assert "***" in shown["to"]
        assert "c4nary" not in str(shown)
    assert store.view(store.get("chat"))["to"] == "ntfy://***"
    assert b"c4nary" not in (desk.folder / "log.sqlite").read_bytes()


async def test_an_edit_counts_at_once_also_for_what_waits(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        Receiver(answers=[500]) as old,
        Receiver() as new,
        Newsdesk(folder=tmp_path, clock=clock) as desk,
    ):
        desk.store.channels.add(name="desk", target=old.url)
        desk.subscribe("truce", to="desk")
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        made = desk.store.channels.edit("desk", target=new.url)
        clock.advance(minutes=10)
        await desk.sender.once()
        assert (len(old.got), len(new.got)) == (1, 1)
        assert new.verify(desk.store.channels.secret(made))
        assert [one.state for one in desk.alerts()] == ["sent"]
        assert [one.to for one in desk.alerts()[0].attempts] == ["desk", "desk"]


async def test_f44_both_secrets_sign_for_a_day_after_a_rotation(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        store = desk.store.channels
        first = store.add(name="desk", target=receiver.url)
        twin = store.add(name="twin", target=receiver.url)
        old = store.secret(first)
        assert old != store.secret(twin)  # two endpoints never share one
        after = store.rotate("desk")
        new = store.secret(after)
        assert new != old
        assert not (await desk.sender.send_channel_test(after.listed, name="desk"))["error"]
        assert receiver.verify(old) == receiver.verify(new)
        assert after.rotated is not None
        later = after.rotated + timedelta(hours=25)
        assert signing_secrets(desk.secrets, after, now=later) == [new]


async def test_an_edit_brings_no_secret_back_that_was_rotated_away(tmp_path: Path) -> None:
    async with Receiver() as receiver, Receiver() as other, Newsdesk(folder=tmp_path) as desk:
        store = desk.store.channels
        leaked = store.secret(store.add(name="desk", target=receiver.url))
        rotated = store.rotate("desk")
        same = store.edit("desk", target=receiver.url)
        assert signing_secrets(desk.secrets, same) == signing_secrets(desk.secrets, rotated)
        assert same.rotated  # the old one signs along for its day
        store.edit("desk", target=other.url)
        back = store.edit("desk", target=receiver.url)
        assert leaked not in signing_secrets(desk.secrets, back, now=back.created)


async def test_a_channel_that_was_given_up_is_in_use_again_once_enabled(tmp_path: Path) -> None:
    async with Receiver(answers=[410]) as receiver, Newsdesk(folder=tmp_path) as desk:
        made = desk.store.channels.add(name="desk", target=receiver.url)
        desk.subscribe("truce", to="desk")
        desk.settle()
        for number in range(2):
            desk.publish(story(f"a{number}"))
            desk.settle()
            await desk.sender.once()
        assert len(receiver.got) == 1
        shown = desk.store.channels.view(made)
        assert shown["state"] == "disabled"
        assert "410" in shown["disabled"]
        assert [one.target for one in all_endpoints(desk.log) if one.disabled] == [made.listed]
        enabled(desk.log, made.listed)
        desk.publish(story("later"))
        desk.settle()
        await desk.sender.once()
        assert len(receiver.got) == 2
        assert desk.store.channels.view(made)["state"] == "ok"
        assert endpoint_of(desk.log, made.listed).last_ok


async def test_an_alert_for_a_removed_channel_fails_with_a_sentence(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        made = desk.store.channels.add(name="desk", target="stdout:")
        desk.subscribe("truce", to="desk")
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        desk.log.append([NewRecord(topic="channels", key=made.id, value=None)])
        await desk.sender.once()
        assert desk.alerts()[0].state == "failed"
        assert "channel was removed" in desk.alerts()[0].attempts[0].error

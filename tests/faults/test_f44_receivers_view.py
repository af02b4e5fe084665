"""F44: what a receiver with any Standard Webhooks library can rely on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from search.webhook import signed
from tests.alerting import Clock, Newsdesk, story
from tests.receiver import Received, Receiver


async def two_received(desk: Newsdesk, receiver: Receiver) -> tuple[list[Received], list[str]]:
    """The requests of two subscriptions to one address, and their signing secrets, in order."""
    ids = [desk.subscribe(name, to=receiver.url) for name in ("one", "two")]
    desk.settle()
    desk.publish(story("a"))
    desk.settle()
    await desk.sender.once()
    secrets = [desk.secrets.signing_secret(one, receiver.url) for one in ids]
    received = sorted(receiver.got, key=lambda one: ids.index(one.data["subscription"]["id"]))
    return received, secrets


async def test_f44_each_endpoint_has_its_own_secret_that_verifies(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        (first, second), secrets = await two_received(desk, receiver)
        assert secrets[0] != secrets[1]
        for one, secret in ((first, secrets[0]), (second, secrets[1])):
            assert Webhook(secret).verify(one.body, one.headers) == json.loads(one.body)
        with pytest.raises(WebhookVerificationError):
            Webhook(secrets[1]).verify(first.body, first.headers)


@pytest.mark.parametrize("what", ["id", "time", "body"])
async def test_f44_nothing_that_matters_can_be_forged(tmp_path: Path, what: str) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        (one, _), (secret, _) = await two_received(desk, receiver)
        headers, body = dict(one.headers), one.body
        if what == "id":
            headers["webhook-id"] += "x"
        elif what == "time":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 1)
        else:
            body = body.replace(b"Harbour", b"harbour")
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


async def test_f44_a_replay_after_five_minutes_is_refused(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        (one, _), (secret, _) = await two_received(desk, receiver)
        old = int(one.headers["webhook-timestamp"]) - 400
        headers = {**one.headers, "webhook-timestamp": str(old)}
        with pytest.raises(WebhookVerificationError, match="too old"):
            Webhook(secret).verify(one.body, headers)


async def test_f44_the_id_tells_a_repeat_from_news(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        (first, second), _ = await two_received(desk, receiver)
        assert first.id != second.id
        assert first.id == first.data["alert_id"]
        assert len(first.id) == 22


async def test_f44_a_repeat_after_a_crash_has_the_same_id_and_body(tmp_path: Path) -> None:
    """A receiver that remembers ids takes each alert once, however often it comes."""
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("one", to=receiver.url)
        desk.settle()
        desk.publish(story("a"), story("b"))
        desk.settle()

        def crash(_point: str) -> None:
            raise RuntimeError("killed before the outcome was written")

        killed = desk.new_sender(crash_point=crash)
        await killed.once()
        await killed.close()
        await desk.sender.once()
        assert len(receiver.got) == 4
        taken = {one.id: one.body for one in receiver.got}
        assert len(taken) == 2
        for one in receiver.got:
            assert taken[one.id] == one.body


async def test_f44_what_comes_out_of_order_can_be_put_in_order(tmp_path: Path) -> None:
    """A first attempt fails and comes after a later alert: each says when it was made."""
    clock = Clock()
    async with (
        Receiver(answers=[500]) as receiver,
        Newsdesk(folder=tmp_path, clock=clock) as desk,
    ):
        desk.subscribe("one", to=receiver.url)
        desk.settle()
        for name in ("first", "second"):
            desk.publish(story(name))
            desk.settle()
            await desk.sender.once()
            clock.advance(seconds=2)
        clock.advance(minutes=10)
        await desk.sender.once()
        arrived = [json.loads(one.body) for one in receiver.got[1:]]
        names = [one["data"]["article"]["id"] for one in arrived]
        assert names == ["second", "first"]
        ordered = sorted(arrived, key=lambda one: one["timestamp"])
        assert [one["data"]["article"]["id"] for one in ordered] == ["first", "second"]


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(240, True), (-240, True), (400, False), (-400, False)]
)
def test_f44_a_skewed_clock_of_five_minutes_is_the_receivers_limit(
    seconds: int,
    is_taken: bool,  # noqa: FBT001 - a parameter of the table above
) -> None:
    secret, body = f"whsec_{'c2VjcmV0' * 4}", '{"type":"article.matched"}'
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    headers = signed(body, alert_id="x", secrets=[secret], now=now)
    if is_taken:
        Webhook(secret).verify(body, headers)
        return
    with pytest.raises(WebhookVerificationError, match="too"):
        Webhook(secret).verify(body, headers)

"""F44: what a receiver with any Standard Webhooks library can rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.alerting import Newsdesk, story
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

"""One attempt, on each channel."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ingest.connections import Connections
from ingest.guard import Guard
from ingest.log import topic_specs
from ingest.settings import NetSettings
from ingest.sqlite_log import SqliteLog
from search.alert_settings import AlertSettings
from search.channels import Channels, Delivery
from search.line_files import append_lines
from search.payload import payload_of_test
from search.secrets import Secrets
from search.subscriptions import Subscription
from search.terminal import block
from tests.alerting import START
from tests.receiver import Receiver

SUBSCRIPTION = Subscription(id="s", name="truce", query="truce", to=(), created=START)
PAYLOAD = payload_of_test(SUBSCRIPTION, alert_id="x", now=START)


def delivery(target: str, payload: str = PAYLOAD) -> Delivery:
    return Delivery(alert_id="x", subscription="s", target=target, payload=payload)


@asynccontextmanager
async def channels(
    secrets: Secrets, *allow: str, stdout: io.StringIO | None = None, **settings: Any
) -> AsyncIterator[Channels]:
    guard = Guard(NetSettings(allow=allow))
    with TemporaryDirectory() as folder, closing(SqliteLog(Path(folder) / "log.sqlite")) as log:
        log.ensure_topics(topic_specs())
        made = Channels(
            log,
            guard=guard,
            connections=Connections(guard, keep_alive=True),
            secrets=secrets,
            settings=AlertSettings(**settings),
            stdout=stdout or io.StringIO(),
        )
        try:
            yield made
        finally:
            await made.close()


async def test_a_webhook_is_signed_and_carries_the_body_byte_for_byte(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    async with Receiver() as receiver, channels(secrets, receiver.host) as sending:
        secret = secrets.make_signing_secret("s", receiver.url)
        outcome = await sending.deliver(delivery(receiver.url))
        assert (outcome.status, outcome.error) == (200, "")
        (one,) = receiver.got
        assert one.body == PAYLOAD.encode()
        assert one.id == "x"
        assert one.headers["content-type"] == "application/json"
        assert receiver.verify(secret) == json.loads(PAYLOAD)


async def test_secrets_of_the_address_are_put_back_where_they_belong(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    async with Receiver() as receiver, channels(secrets, receiver.host) as sending:
        full = receiver.url.replace("//", "//me:p%40ss@") + "?api_key=abc%2Fdef&room=7"
        target = secrets.hide(full)
        secrets.make_signing_secret("s", target)
        assert not (await sending.deliver(delivery(target))).error
        (one,) = receiver.got
        assert one.path == "/hook?api_key=abc%2Fdef&room=7"
        login = one.headers["authorization"].removeprefix("Basic ")
        assert base64.b64decode(login) == b"me:p@ss"


async def test_only_2xx_acknowledges(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    statuses: list[int | float] = [200, 201, 204, 302, 400, 401, 410, 429, 500, 504]
    async with (
        Receiver(
            answers=list(statuses), headers={"Retry-After": "120", "Location": "/x"}
        ) as receiver,
        channels(secrets, receiver.host) as sending,
    ):
        secrets.make_signing_secret("s", receiver.url)
        outcomes = [await sending.deliver(delivery(receiver.url)) for _ in statuses]
        assert [one.status for one in outcomes] == statuses
        assert [one.status for one in outcomes if not one.error] == [200, 201, 204]
        assert [one.status for one in outcomes if one.final] == [410]
        assert [one.status for one in outcomes if one.retry_after_seconds] == [429, 504]
        assert len(receiver.got) == len(statuses)


async def test_a_receiver_that_is_down_is_named_in_the_error(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    async with channels(secrets, "127.0.0.1:*") as sending:
        secrets.make_signing_secret("s", "http://127.0.0.1:1/")
        outcome = await sending.deliver(delivery("http://127.0.0.1:1/"))
        assert "refused" in outcome.error


async def test_a_file_gets_a_line_each_and_its_folders_are_made(tmp_path: Path) -> None:
    target = f"file:{tmp_path}/a/b/alerts.jsonl"
    async with channels(Secrets(tmp_path)) as sending:
        for _ in range(2):
            assert not (await sending.deliver(delivery(target))).error
    lines = (tmp_path / "a/b/alerts.jsonl").read_text().splitlines()
    assert lines == [PAYLOAD, PAYLOAD]


async def test_a_file_that_cannot_be_written_is_an_outcome(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    async with channels(Secrets(tmp_path)) as sending:
        for name in ("folder", "pipe", "file/below"):
            async with asyncio.timeout(5):
                outcome = await sending.deliver(delivery(f"file:{tmp_path}/{name}"))
            assert outcome.error
            assert not outcome.final


def test_a_line_torn_by_a_crash_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"whole":1}\n{"to')
    append_lines(path, ["{}"])
    assert path.read_text() == '{"whole":1}\n{"to\n{}\n'


async def test_a_terminal_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    stuck = threading.Event()

    class Pager(io.StringIO):
        def write(self, text: str) -> int:
            stuck.wait(20)
            return len(text)

    async with (
        Receiver() as receiver,
        channels(secrets, receiver.host, stdout=Pager()) as sending,
    ):
        secrets.make_signing_secret("s", receiver.url)
        waiting = asyncio.create_task(sending.deliver(delivery("stdout:")))
        async with asyncio.timeout(5):
            assert not (await sending.deliver(delivery(receiver.url))).error
        assert not waiting.done()
        stuck.set()
        await waiting


def test_nothing_of_a_payload_acts_on_a_terminal() -> None:
    hostile = json.loads(PAYLOAD)
    hostile["data"]["article"]["title"] = "\x1b]0;owned\x07\nforged line"
    hostile["data"]["why"] = [{"clause": "x\u202e", "text": "\x9b31m"}]
    shown = block(json.dumps(hostile))
    assert "\\x1b" in shown
    assert not any(char in shown for char in "\x1b\x07\x9b\u202e")
    assert not any(line.startswith("forged") for line in shown.splitlines())


@pytest.mark.parametrize("seconds", [0.3])
async def test_a_receiver_that_does_not_answer_in_time_is_cut_off(
    tmp_path: Path, seconds: float
) -> None:
    secrets = Secrets(tmp_path)
    async with (
        Receiver(answers=[5.0]) as receiver,
        channels(secrets, receiver.host, webhook_seconds=seconds) as sending,
    ):
        secrets.make_signing_secret("s", receiver.url)
        outcome = await sending.deliver(delivery(receiver.url))
        assert outcome.error == "It did not answer within 0.3 s."

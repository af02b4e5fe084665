"""Chat and push: apprise in a process that can be killed, whose sockets are guarded."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from ingest.errors import UsageError
from search.apprise_sending import AppriseSender, check_apprise
from tests.receiver import Receiver


@asynccontextmanager
async def sending(*allow: str, seconds: float = 10) -> AsyncIterator[AppriseSender]:
    made = AppriseSender(allow, seconds=seconds)
    try:
        yield made
    finally:
        await made.close()


@contextlib.contextmanager
def decoy() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine and who connected to it; it never answers."""
    met: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    found, address = listener.accept()
                    met.append(address)
                    found.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield listener.getsockname()[1], met
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


async def test_a_message_arrives_as_the_service_wants_it() -> None:
    async with Receiver() as receiver, sending(receiver.host) as sender:
        url = f"json://{receiver.host}/in"
        outcome = await sender.send(url, title="truce: Talks end", body="Talks end\nport.example")
        assert outcome.error == ""
        (one,) = receiver.got
        assert b'"title": "truce: Talks end"' in one.body
        assert one.path == "/in"


async def test_a_receiver_that_refuses_is_retried_and_its_address_not_told() -> None:
    async with Receiver(answers=[500, 302]) as receiver, sending(receiver.host) as sender:
        for _ in range(2):
            url = f"json://user:pa55word@{receiver.host}/in/tok3n-of-mine"
            outcome = await sender.send(url, title="t", body="b")
            assert outcome.error.startswith("It was not taken.")
            assert not outcome.final
            assert "pa55word" not in outcome.error
            assert "tok3n" not in outcome.error


async def test_a_redirect_is_not_followed() -> None:
    with decoy() as (port, met):
        headers = {"Location": f"http://127.0.0.1:{port}/"}
        async with (
            Receiver(answers=[307], headers=headers) as receiver,
            sending(receiver.host) as sender,
        ):
            url = f"json://{receiver.host}/?redirect=yes"
            assert (await sender.send(url, title="t", body="b")).error
            assert met == []


LOCAL = (
    "json://127.0.0.1:{}/", "json://localhost:{}/", "json://127.1:{}/", "json://2130706433:{}/",
    "json://[::1]:{}/", "json://[::ffff:127.0.0.1]:{}/", "jsons://localhost:{}/",
    "json://169.254.169.254:{}/", "xml://127.0.0.1:{}/", "form://0.0.0.0:{}/",
    "mailto://me:word@127.0.0.1:{}/?to=jane@example.org&smtp=127.0.0.1&from=me@example.org",
    "irc://127.0.0.1:{}/room", "gotify://127.0.0.1:{}/tokentoken", "ntfy://127.0.0.1:{}/topic",
    "matrix://me:word@127.0.0.1:{}/#room", "rsyslog://127.0.0.1:{}/",
)  # fmt: skip


async def test_f64_no_plugin_reaches_this_machine_or_its_neighbours() -> None:
    with decoy() as (port, met):
        async with sending() as sender:
            for url in LOCAL:
                outcome = await sender.send(url.format(port), title="t", body="b")
                assert outcome.error, url
                assert met == [], url


async def test_f64_a_name_that_is_allowed_opens_no_other_port() -> None:
    with decoy() as (port, met):
        async with Receiver() as receiver, sending(receiver.host) as sender:
            assert not (await sender.send(f"json://{receiver.host}/", title="t", body="b")).error
            refused = await sender.send(f"json://127.0.0.1:{port}/", title="t", body="b")
            assert "private address" in refused.error
            assert met == []


async def test_no_file_of_this_machine_is_read_for_a_message() -> None:
    async with sending() as sender:
        for url in (
            "tgram://123456789:abcdefg_hijklmnop/1/?template=/etc/passwd",
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=file:///etc/passwd",
            "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js/?template=/etc/passwd",
        ):
            outcome = await sender.send(url, title="t", body="b")
            assert outcome.error, url
            assert "root:" not in outcome.error


async def test_one_that_hangs_delays_no_other() -> None:
    async with (
        Receiver(answers=[60.0] * 3) as slow,
        Receiver() as good,
        sending(slow.host, good.host, seconds=60) as sender,
    ):
        hanging = [
            asyncio.create_task(sender.send(f"json://{slow.host}/", title="t", body="b"))
            for _ in range(3)
        ]
        await slow.wait_for(3)
        assert not (await sender.send(f"json://{good.host}/", title="t", body="b")).error
        assert not any(one.done() for one in hanging)
        for one in hanging:
            one.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_one_that_hangs_is_killed_in_time() -> None:
    async with Receiver(answers=[60.0]) as slow, sending(slow.host, seconds=1) as sender:
        outcome = await sender.send(f"json://{slow.host}/", title="t", body="b")
        assert outcome.error == "It did not take the message within 1 s."


async def test_an_endless_answer_ends_with_its_process() -> None:
    async with (
        Receiver(endless=True) as receiver,
        sending(receiver.host, seconds=2) as sender,
    ):
        assert (await sender.send(f"json://{receiver.host}/", title="t", body="b")).error


@pytest.mark.parametrize("url", ["gopher://x/y", "foo://", "ftp://example.org/x"])
def test_an_unknown_service_is_refused_with_three_examples(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_apprise(url)
    for example in ("https://", "mailto:", "ntfy://"):
        assert example in caught.value.hint


def test_a_malformed_address_is_refused_when_it_is_added() -> None:
    with pytest.raises(UsageError, match="slack:// address cannot be read"):
        check_apprise("slack://x")
    check_apprise("ntfy://topic")

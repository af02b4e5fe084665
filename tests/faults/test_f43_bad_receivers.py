"""F43: a receiver that is slow, broken, gone, talkative or private harms nobody else."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

from ingest.connections import Connections
from ingest.guard import Guard
from search.alert_settings import AlertSettings
from tests.alerting import START, Clock, Newsdesk, story
from tests.network import Names, NoSockets
from tests.receiver import Receiver


async def published_to(desk: Newsdesk, *urls: str, stories: int = 1) -> None:
    for number, url in enumerate(urls):
        desk.subscribe(f"s{number}", to=url)
    desk.settle()
    desk.publish(*(story(f"a{number}") for number in range(stories)))
    desk.settle()


async def test_f43_a_slow_receiver_delays_no_other(tmp_path: Path) -> None:
    settings = AlertSettings(webhook_seconds=4)
    async with (
        Receiver(answers=[60.0] * 100) as slow,
        Receiver() as good,
        Newsdesk(folder=tmp_path, settings=settings) as desk,
    ):
        await published_to(desk, slow.url, good.url, stories=30)
        stop = asyncio.Event()
        running = asyncio.create_task(desk.sender.run(stop))
        started = time.monotonic()
        await good.wait_for(30)
        assert time.monotonic() - started < 3
        assert 0 < len(slow.got) <= 5  # half of what one host gets at a time
        stop.set()
        await running


async def test_f43_one_host_gets_ten_requests_at_a_time(tmp_path: Path) -> None:
    async with Receiver(answers=[0.2] * 100) as receiver, Newsdesk(folder=tmp_path) as desk:
        urls = [f"{receiver.url}/{number}" for number in range(5)]
        await published_to(desk, *urls, stories=8)
        await desk.sender.once()
        assert len(receiver.got) == 40
        assert 5 < receiver.most_at_once <= 10


async def test_f43_a_receiver_that_fails_for_three_days_is_disabled_with_notice(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with (
        Receiver(answers=[500] * 1000) as bad,
        Receiver() as good,
        Newsdesk(folder=tmp_path, clock=clock) as desk,
    ):
        await published_to(desk, bad.url, good.url)
        while clock.now < START + timedelta(hours=80):
            await desk.sender.once()
            clock.advance(minutes=30)
        assert len(bad.got) == 10
        assert len(good.got) == 1
        (told,) = [one for one in desk.alerts() if not one.article_id]
        assert told.state == "failed"  # the subscription has no other target
        assert "It has failed since" in told.attempts[0].error
        failed = next(one for one in desk.alerts() if one.state == "failed" and one.article_id)
        assert len(failed.attempts) == 10
        desk.publish(story("later"))
        desk.settle()
        await desk.sender.once()
        assert len(bad.got) == 10
        later = next(
            one for one in desk.alerts() if (one.state, one.article_id) == ("failed", "later")
        )
        assert "It has failed since 2026-11-22 12:00 UTC" in later.attempts[-1].error
        bad.answers.clear()
        assert (await desk.sender.send_test(later.subscription))[0]["error"] == ""
        await desk.sender.retry(later.alert_id)
        assert bad.got[-1].id == later.alert_id
        assert len(good.got) == 2


async def test_f43_the_notice_goes_to_the_other_targets_of_the_subscription_once(
    tmp_path: Path,
) -> None:
    async with (
        Receiver(answers=[410, 410]) as gone,
        Receiver() as good,
        Newsdesk(folder=tmp_path) as desk,
    ):
        desk.store.add(name="truce", query="truce", to=[gone.url, good.url])
        desk.settle()
        desk.publish(story("a"), story("b"))
        desk.settle()
        await desk.sender.once()
        await desk.sender.once()
        notices = [one.data for one in good.got if "notice" in one.data]
        assert len(notices) == 1
        assert notices[0]["article"]["title"] == f"Nothing is sent to {gone.url} any more"
        assert "410 Gone" in notices[0]["article"]["excerpt"]
        assert len(good.got) == 3
        (told,) = [one for one in desk.alerts() if not one.article_id]
        assert told.state == "sent"


async def test_f43_a_redirect_is_a_failure_and_not_followed(tmp_path: Path) -> None:
    async with Receiver() as decoy:
        headers = {"Location": decoy.url}
        async with (
            Receiver(answers=[307], headers=headers) as receiver,
            Newsdesk(folder=tmp_path) as desk,
        ):
            await published_to(desk, receiver.url)
            await desk.sender.once()
            assert decoy.got == []
            assert "redirect" in desk.alerts()[0].attempts[0].error


async def test_f43_410_ends_it(tmp_path: Path) -> None:
    async with Receiver(answers=[410]) as receiver, Newsdesk(folder=tmp_path) as desk:
        await published_to(desk, receiver.url, stories=1)
        await desk.sender.once()
        desk.publish(story("later"))
        desk.settle()
        await desk.sender.once()
        assert len(receiver.got) == 1
        assert {one.state for one in desk.alerts()} == {"failed"}
        assert [one.title for one in desk.alerts() if not one.article_id] == [
            f"Nothing is sent to {receiver.url} any more"
        ]


async def test_f43_an_endless_answer_is_cut_off(tmp_path: Path) -> None:
    async with Receiver(endless=True) as receiver, Newsdesk(folder=tmp_path) as desk:
        await published_to(desk, receiver.url)
        started = time.monotonic()
        await desk.sender.once()
        assert time.monotonic() - started < 3
        assert desk.alerts()[0].state == "sent"
        await asyncio.sleep(0.2)
        assert receiver.sent_bytes < 16_000_000  # what the kernel's buffers took, then no more
        before = receiver.sent_bytes
        await asyncio.sleep(0.3)
        assert receiver.sent_bytes == before


async def test_f43_a_receiver_that_resolves_to_a_private_address_gets_no_packet(
    tmp_path: Path,
) -> None:
    sockets = NoSockets()
    connections = Connections(
        Guard(),
        resolver=Names(rebinding_example=[["192.168.1.1"], ["93.184.215.14", "127.0.0.1"]]),
        open_socket=sockets,
    )
    clock = Clock()
    async with Newsdesk(folder=tmp_path, allow=(), connections=connections, clock=clock) as desk:
        await published_to(desk, "https://rebinding.example/hook")
        for _ in range(2):
            await desk.sender.once()
            clock.advance(seconds=6)
        assert sockets.addresses == []
        for alert in desk.alerts():
            assert len(alert.attempts) == 2
            assert all("private address" in one.error for one in alert.attempts)


async def test_f43_retry_after_holds_every_alert_for_this_receiver(tmp_path: Path) -> None:
    clock = Clock()
    headers = {"Retry-After": "600"}
    async with (
        Receiver(answers=[429], headers=headers) as receiver,
        Newsdesk(folder=tmp_path, clock=clock) as desk,
    ):
        await published_to(desk, receiver.url)
        await desk.sender.once()
        desk.publish(story("later"))
        desk.settle()
        clock.advance(seconds=599)
        await desk.sender.once()
        assert len(receiver.got) == 1
        clock.advance(seconds=2)
        await desk.sender.once()
        assert len(receiver.got) == 3
        assert {one.state for one in desk.alerts()} == {"sent"}

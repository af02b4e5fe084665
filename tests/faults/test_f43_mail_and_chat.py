"""F43: a mail server or a chat service that is slow, broken or talkative harms nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from search.alert_settings import AlertSettings
from search.mail.settings import MailSettings
from tests.alerting import START, Clock, Newsdesk, story
from tests.mailbox import Mailbox
from tests.receiver import Receiver


def settings_of(box: Mailbox, *, seconds: float = 5) -> MailSettings:
    return MailSettings(
        server="127.0.0.1",
        port=box.port,
        security="none",
        from_address="alerts@wire.example",
        seconds=seconds,
    )


def published_to(desk: Newsdesk, *targets: str, stories: int = 1) -> None:
    for number, target in enumerate(targets):
        desk.subscribe(f"s{number}", to=target)
    desk.settle()
    desk.publish(*(story(f"a{number}") for number in range(stories)))
    desk.settle()


async def test_f43_services_that_hang_delay_neither_webhooks_nor_each_other(
    tmp_path: Path,
) -> None:
    async with (
        Mailbox(hangs=True) as box,
        Receiver(answers=[60.0] * 100) as chat,
        Receiver() as quick,
        Receiver() as good,
    ):
        mail = settings_of(box, seconds=60)
        settings = AlertSettings(webhook_seconds=60)
        async with Newsdesk(folder=tmp_path, mail=mail, settings=settings) as desk:
            published_to(
                desk,
                "mailto:jane@example.org",
                f"json://{chat.host}/one",
                f"json://{chat.host}/two",
                f"json://{quick.host}/",
                good.url,
                stories=10,
            )
            stop = asyncio.Event()
            running = asyncio.create_task(desk.sender.run(stop))
            await good.wait_for(10)
            await quick.wait_for(10)
            await chat.wait_for(2)
            assert len(chat.got) == 2  # one at a time to each, and all of it in children
            assert box.connections == 1
            stop.set()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_f43_a_recipient_that_does_not_exist_fails_at_once_and_others_get_theirs(
    tmp_path: Path,
) -> None:
    async with (
        Mailbox(refuses={"gone@example.org": "550 no such user"}) as box,
        Newsdesk(folder=tmp_path, mail=settings_of(box)) as desk,
    ):
        published_to(desk, "mailto:gone@example.org", "mailto:jane@example.org")
        await desk.sender.once()
        assert box.to == ["jane@example.org"]
        states = {one.subscription_name: one.state for one in desk.alerts()}
        assert states == {"s0": "failed", "s1": "sent"}


async def test_f43_three_days_of_failing_are_retried_then_given_up(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        Mailbox(refuses={"jane@example.org": "451 try later"}) as box,
        Receiver(answers=[500] * 1000) as chat,
        Receiver() as good,
        Newsdesk(folder=tmp_path, mail=settings_of(box), clock=clock) as desk,
    ):
        published_to(desk, "mailto:jane@example.org", f"json://{chat.host}/", good.url)
        while clock.now < START + timedelta(hours=80):
            await desk.sender.once()
            clock.advance(hours=1)
        assert box.connections == 10  # the ten attempts of Standard Webhooks' schedule
        assert len(chat.got) == 10
        assert len(good.got) == 1
        assert sorted(one.state for one in desk.alerts() if one.article_id) == [
            "failed", "failed", "sent",
        ]  # fmt: skip
        box.refuses.clear()
        failed = next(one for one in desk.alerts() if one.subscription_name == "s0")
        await desk.sender.retry(failed.alert_id)
        assert len(box.got) == 1


async def test_f43_a_repeat_is_the_same_message_for_a_mail_program(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        Mailbox(refuses={"DATA": "451 try later"}) as box,
        Newsdesk(folder=tmp_path, mail=settings_of(box), clock=clock) as desk,
    ):
        published_to(desk, "mailto:jane@example.org")
        await desk.sender.once()
        (alert,) = desk.alerts()
        assert alert.state == "waiting"
        box.refuses.clear()
        clock.advance(minutes=10)
        await desk.sender.once()
        assert box.got[0]["Message-ID"].startswith(f"<{alert.alert_id}.")

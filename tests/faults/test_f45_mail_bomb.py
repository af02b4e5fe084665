"""F45: no mail bomb, and nothing dropped without notice: a storm is some messages and a digest."""

from __future__ import annotations

import json
from pathlib import Path

from search.alert_settings import AlertSettings
from search.mail.settings import MailSettings
from tests.alerting import START, Clock, Newsdesk, story
from tests.mailbox import Mailbox, texts
from tests.receiver import Receiver

SETTINGS = AlertSettings(storm="2/1m")


async def test_f45_a_storm_in_a_mailbox_and_a_chat_is_two_messages_and_one_that_counts(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with Mailbox() as box, Receiver() as chat:
        mail = MailSettings(
            server="127.0.0.1",
            port=box.port,
            security="none",
            from_address="alerts@wire.example",
        )
        async with Newsdesk(folder=tmp_path, clock=clock, settings=SETTINGS, mail=mail) as desk:
            for name, to in (("mail", "mailto:jane@example.org"), ("chat", f"json://{chat.host}/")):
                desk.subscribe(name, to=to)
            desk.settle()
            desk.publish(*(story(f"a{number}") for number in range(202)))
            desk.settle()
            async with desk.sending():
                await box.wait_for(2)
                await chat.wait_for(2)
                clock.now = START
                clock.advance(minutes=2)
                await box.wait_for(3)
                await chat.wait_for(3)
                await desk.until_all("sent")
    assert len(box.got) == 3
    assert box.got[2]["Subject"] == "mail: 200 articles"
    plain, html = texts(box.got[2])
    for text in (plain, html):
        assert "They are more than any subscription sends one by one." in " ".join(text.split())
    shown = plain.count("https://example.org/a")
    assert f"and {200 - shown} more: " in plain
    assert len(chat.got) == 3
    told = json.loads(chat.got[2].body)
    assert told["title"] == "chat: 200 articles"
    assert len(told["message"]) < 2_000
    listed = told["message"].count("https://example.org/a")
    assert f"and {200 - listed} more: " in told["message"]

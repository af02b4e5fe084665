"""One run of the installed command alerts programs that were not written here.

The ``standardwebhooks`` library verifies, aiosmtpd takes the e-mail, apprise speaks ``json://``.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.hour import rows, said
from tests.mailbox import Mailbox, texts
from tests.newsserver import NewsServer, item, rss
from tests.receiver import Receiver
from tests.running import Place

pytestmark = pytest.mark.timeout(240)


async def commands(place: Place, *verb: str) -> list[dict[str, Any]]:
    return await asyncio.to_thread(rows, place, *verb)


async def test_one_article_reaches_a_webhook_a_mailbox_a_chat_and_a_file(tmp_path: Path) -> None:
    async with (
        NewsServer() as site,
        Receiver() as hook,
        Receiver() as chat,
        Mailbox() as box,
    ):
        place = Place(
            folder=tmp_path,
            settings={
                "net.allow": "127.0.0.1:*",
                "mail.server": "127.0.0.1",
                "mail.port": box.port,
                "mail.security": "none",
                "mail.from_address": "Wirewatch <alerts@wire.example>",
            },
        )
        news = item(
            "1",
            "Harbour truce holds",
            link="https://harbour.example/1",
            text="The truce held.",
            published=datetime.now(UTC),
        )
        site.answer("/feed", rss(news))
        await commands(place, "feeds", "add", site.url("/feed"))
        (desk,) = await commands(place, "channels", "add", "desk", "mailto:desk@example.org")
        assert desk["state"] == "unused"
        (hooked,) = await commands(place, "channels", "add", "hook", f"{hook.url}?token=s3cr3t-9")
        (added,) = await commands(
            place, "subscriptions", "add", "truce", "truce", "--to", "desk", "--to", "hook",
            "--to", f"json://{chat.host}/in", "--to", f"file:{tmp_path}/alerts.jsonl",
        )  # fmt: skip
        assert added["to"] == ["desk", "hook", "json://***", f"file:{tmp_path}/alerts.jsonl"]
        (totals,) = await commands(place, "run", "--once", "--no-web")
        assert (totals["alerts"], totals["delivered"]) == (1, 1)

        (posted,) = hook.got
        body = Webhook(hooked["secret"]).verify(posted.body, posted.headers)
        assert body["data"]["article"]["title"] == "Harbour truce holds"
        assert posted.path == "/hook?token=s3cr3t-9"
        (message,) = box.got
        assert isinstance(message, EmailMessage)
        assert message["Subject"] == "truce: Harbour truce holds"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert all("Harbour truce holds" in text for text in texts(message))
        told = json.loads(chat.got[0].body)
        assert told["title"] == "truce: Harbour truce holds"
        assert "Why: truce" in told["message"]
        (line,) = (tmp_path / "alerts.jsonl").read_text().splitlines()
        assert json.loads(line) == body

        listed = {one["name"]: one for one in await commands(place, "channels", "list")}
        assert {one["state"] for one in listed.values()} == {"ok"}
        shown = await asyncio.to_thread(said, place, "channels", "show", "hook")
        assert "s3cr3t" not in shown
        refused = await asyncio.to_thread(
            lambda: place.call("channels", "remove", "desk", check=False)
        )
        assert refused.returncode == 2
        assert "truce" in refused.stderr
        (tested,) = await commands(place, "channels", "test", "desk")
        assert tested == {"to": "desk", "status": 0, "error": ""}
        assert box.got[1]["Subject"] == "desk: Test alert of the channel desk"

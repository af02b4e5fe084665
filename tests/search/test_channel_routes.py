"""The routes of channels and of links that stop e-mails."""

from __future__ import annotations

from pathlib import Path

from search.mail.unsubscribing import Links
from tests.receiver import Receiver
from tests.shell import client, opened

MAIL = ("mail.server=mail.example", "mail.from_address=alerts@wire.example")


async def test_a_channel_is_made_shown_tested_changed_and_removed(tmp_path: Path) -> None:
    async with (
        Receiver() as receiver,
        opened(tmp_path, f"net.allow={receiver.host}") as shell,
        client(shell) as api,
    ):
        made = await api.post("/api/channels", json={"name": "desk", "target": receiver.url})
        assert made.status_code == 201
        assert made.json()["secret"].startswith("whsec_")
        assert made.json()["state"] == "unused"
        (listed,) = (await api.get("/api/channels")).json()["channels"]
        assert "secret" not in listed
        assert (await api.get("/api/channels/desk")).json() == listed
        tested = (await api.post(f"/api/channels/{listed['id']}/test")).json()
        assert tested["deliveries"] == [{"to": "desk", "status": 200, "error": ""}]
        assert receiver.verify(made.json()["secret"])
        assert (await api.get("/api/channels/desk")).json()["last_ok"]
        rotated = (await api.post("/api/channels/desk/rotate")).json()
        assert rotated["secret"] != made.json()["secret"]
        changed = await api.patch("/api/channels/desk", json={"target": "https://new.example/"})
        assert changed.json()["to"] == "https://new.example/"
        body = {"name": "truce", "query": "truce", "to": ["desk"]}
        assert (await api.post("/api/subscriptions", json=body)).json()["to"] == ["desk"]
        kept = await api.delete("/api/channels/desk")
        assert kept.status_code == 400
        assert "truce" in kept.json()["detail"]
        await api.delete("/api/subscriptions/truce")
        assert (await api.delete("/api/channels/desk")).json()["name"] == "desk"
        assert (await api.get("/api/channels")).json()["channels"] == []
        assert (await api.post("/api/channels/desk/enable")).status_code == 404


async def test_one_click_takes_one_recipient_off_and_nobody_else(tmp_path: Path) -> None:
    async with opened(tmp_path, *(f"{one}" for one in MAIL)) as shell, client(shell) as api:
        store = shell.subscriptions
        store.channels.add(name="joe", target="mailto:joe@example.org")
        made = store.add(name="truce", query="truce", to=["mailto:jane@example.org", "joe"])
        store.add(name="arms", query="arms", to=["mailto:jane@example.org"])
        links = Links(shell.vault, base="")
        for address in ("jane@example.org", "joe@example.org"):
            link = links.link(made.id, f"mailto:{address}")
            assert "<form method=" in (await api.get(link)).text
        assert len(store.get("truce").to) == 2  # looking at a link changes nothing
        jane = links.link(made.id, "mailto:jane@example.org")
        form = {"List-Unsubscribe": "One-Click"}
        assert (await api.post(jane, data=form)).status_code == 200
        assert [one.partition("/")[2] for one in store.get("truce").to] == ["joe"]
        assert (await api.post(jane, data=form)).status_code == 404
        await api.post(links.link(made.id, "mailto:joe@example.org"), data=form)
        assert store.get("truce").paused  # the last one: nothing is left to send it to
        assert len(store.get("arms").to) == 1


async def test_a_forged_link_does_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, *MAIL) as shell, client(shell) as api:
        store = shell.subscriptions
        made = store.add(name="truce", query="truce", to=["mailto:jane@example.org", "stdout:"])
        other = store.add(name="arms", query="arms", to=["mailto:jane@example.org"])
        foreign = Links(shell.vault, base="").token(other.id, "mailto:jane@example.org")
        for token in (
            f"{made.id}.{'a' * 32}",
            f"{made.id}.",
            "x",
            f"{made.id}.{foreign.partition('.')[2]}",
            f"{'truce'}.{'a' * 32}",
            "%00",
            "..%2f..",
        ):
            assert (await api.post(f"/unsubscribe/{token}")).status_code == 404
        assert len(store.get("truce").to) == 2


async def test_hostile_names_on_the_page_of_a_link_are_text(tmp_path: Path) -> None:
    async with opened(tmp_path, *MAIL) as shell, client(shell) as api:
        name = "<script>alert(1)</script>"
        store = shell.subscriptions
        made = store.add(name=name, query="truce", to=["mailto:jane@example.org"])
        link = Links(shell.vault, base="").link(made.id, "mailto:jane@example.org")
        page = (await api.get(link)).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page

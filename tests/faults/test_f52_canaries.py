"""F52: secrets planted wherever one can be given are in clear nowhere but in their own file."""

from __future__ import annotations

import asyncio
import io
import stat
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from aiohttp import BasicAuth, web

from deploy.cli import main
from search.accounts import new_token
from tests.hour import rows
from tests.newsserver import item, rss
from tests.receiver import Receiver
from tests.running import Place, Running

pytestmark = pytest.mark.timeout(400)

CANARIES = {
    "password of a webhook": "canary-4711-hookpass",
    "token of a webhook": "canary-4712-hooktoken",
    "password of an apprise address": "canary-4713-apprisepass",
    "token of a chat": "canary-4714-chattokenAbc",
    "password of the mail server": "canary-4715-mailpass",
    "login of a feed": "canary-4716-feedpass",
    "key of a feed": "canary-4717-feedkey",
    "token of a file": new_token(),
}
LIST = ("subscriptions", "channels", "feeds", "alerts", "quarantine", "accounts")
PAGES = (
    "/?q=truce",
    "/subscriptions",
    "/channels",
    "/alerts",
    "/feeds",
    "/metrics",
    "/openapi.json",
    "/api/search?q=truce",
    "/api/subscriptions",
    "/api/subscriptions.yaml",
    "/api/channels",
    "/api/alerts",
    "/api/feeds",
    "/api/feed-tokens",
    "/api/audit",
    "/api/nothing",
    "/api/subscriptions/nothing",
)


class Journey:
    """Commands of somebody with secrets, and all that was said to them."""

    def __init__(self, folder: Path, host: str) -> None:
        self.place = Place(
            folder=folder,
            settings={
                "net.allow": f"{host},127.0.0.1:1",
                "api.port": 0,
                "api.require_login": "true",
                "api.token_file": _file(folder / "token", CANARIES["token of a file"]),
                "mail.server": "127.0.0.1",
                "mail.port": 1,
                "mail.security": "none",
                "mail.user": "press",
                "mail.from_address": "press@example.org",
                "mail.password_file": _file(
                    folder / "mail", CANARIES["password of the mail server"]
                ),
            },
        )
        self.host = host
        self.said: dict[str, str] = {}

    def call(self, *verb: str) -> None:
        """A command; what it says is kept, whether it works or not."""
        out, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(errors):
            main(self.place.arguments(*verb))
        self.said[" ".join(verb)] = out.getvalue() + errors.getvalue()

    @property
    def webhook(self) -> str:
        user = f"press:{CANARIES['password of a webhook']}"
        return f"http://{user}@{self.host}/hook?token={CANARIES['token of a webhook']}"

    @property
    def feed(self) -> str:
        key = CANARIES["key of a feed"]
        return f"http://reader:{CANARIES['login of a feed']}@{self.host}/feed?key={key}"

    def set_up(self) -> None:
        """Everything that takes a secret, rightly and wrongly."""
        apprise = f"json://press:{CANARIES['password of an apprise address']}@{self.host}/notify"
        chat = f"tgram://12345:{CANARIES['token of a chat']}/67890"
        self.call("channels", "add", "hook", self.webhook)
        self.call("channels", "add", "notify", apprise)
        self.call("channels", "add", "chat", chat)
        self.call("channels", "add", "mail", "mailto:desk@example.org")
        self.call("channels", "add", "hook", self.webhook)  # the name is taken
        self.call("subscriptions", "add", "truce", "truce", "--to", self.webhook)
        self.call("subscriptions", "add", "all", "truce", "--to=hook", "--to=notify", "--to=mail")
        self.call("subscriptions", "add", "wrong", "truce AND (", "--to", self.webhook)
        self.call("subscriptions", "add", "wrong", "truce", "--to", f"{self.webhook}\x07")
        self.call("feeds", "add", self.feed)
        self.call("feeds", "add", self.feed)
        self.call("feeds", "check", self.feed)

    def look(self) -> None:
        """Every way to look at it."""
        once = self.place.call("run", "--once")
        self.said["run --once"] = once.stdout + once.stderr
        for name in LIST:
            self.call(name, "list")
        self.call("accounts", "audit", "--json")
        for verb in ("show", "test", "edit"):
            self.call("subscriptions", verb, "truce", *(["--query=ferry"] * (verb == "edit")))
        for name in ("hook", "notify", "mail"):
            self.call("channels", "test", name)
        self.call("alerts", "list", "--failed")
        self.call("feeds", "health", "--json")
        self.call("doctor")
        self.call("subscriptions", "show", "nothing")
        self.call("config", "show")
        self.call("backup", str(self.place.folder / "backup.wirewatch"))

    async def serve(self) -> None:
        """The same from the port, with a token and with wrong ones."""
        running = Running(self.place, "run")
        try:
            await running.ready()
            url = await _port_of(running)
            for token in (CANARIES["token of a file"], "ww_wrong", ""):
                headers = {"Accept": "text/html, */*"}
                headers |= {"Authorization": f"Bearer {token}"} if token else {}
                async with httpx.AsyncClient(base_url=url, headers=headers) as client:
                    for page in PAGES:
                        answer = await client.get(page)
                        self.said[f"{page} {token[:4]}"] = answer.text + str(answer.headers)
                        assert answer.status_code < 500, page
        finally:
            await running.terminate()
        self.said["run"] = running.errors.read_text() + running.output.read_text()


def _file(path: Path, secret: str) -> str:
    path.write_text(secret)
    path.chmod(0o600)
    return str(path)


async def _port_of(running: Running) -> str:
    """The address that it says it answers on."""
    async with asyncio.timeout(30):
        while True:
            for word in running.errors.read_text().split():
                if word.startswith("api=http"):
                    return word.removeprefix("api=")
            await asyncio.sleep(0.05)


class Newsroom(Receiver):
    """A receiver of alerts that also has a feed for whoever knows its secrets."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/feed", self._feed), *super().routes()]

    async def _feed(self, request: web.Request) -> web.Response:
        login = BasicAuth.decode(request.headers.get("Authorization", "Basic Og=="))
        given = (login.password, request.query.get("key", ""))
        if given != (CANARIES["login of a feed"], CANARIES["key of a feed"]):
            return web.Response(status=401)
        text = rss(item("1", "Truce talks resume", published=datetime.now(UTC)))
        return web.Response(text=text, content_type="application/rss+xml")


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


async def test_no_secret_is_in_clear_in_any_output_or_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    async with Newsroom() as receiver:
        journey = Journey(tmp_path, receiver.host)
        await asyncio.to_thread(journey.set_up)
        await asyncio.to_thread(journey.look)
        await journey.serve()
    # They were used at all: what is nowhere would be in clear nowhere, too.
    asked = "".join(f"{one.path} {one.headers}" for one in receiver.got)
    assert "/notify" in asked
    for name, secret in CANARIES.items():
        for what, said in journey.said.items():
            assert secret not in said, f"{name} in the output of {what}"
    _no_file_tells(journey.place)


def _no_file_tells(place: Place) -> None:
    secrets = place.data / "secrets" / "secrets.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert CANARIES["password of a webhook"] in secrets.read_text()
    meant = {secrets, place.folder / "token", place.folder / "mail"}
    for file in set(_files(place.folder)) - meant:
        held = file.read_bytes()
        for name, secret in CANARIES.items():
            assert secret.encode() not in held, f"{name} in {file}"


def test_a_token_is_said_once_and_is_in_no_file(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    (made,) = rows(place, "accounts", "add", "reader", "--scope", "write")
    token = made["token"]
    later = [*rows(place, "accounts", "list"), *rows(place, "accounts", "audit")]
    assert [row["name"] for row in later if "name" in row] == ["reader"]
    assert token not in str(later)
    assert made["scopes"] == ["read", "write"]
    for file in _files(tmp_path):
        assert token.encode() not in file.read_bytes(), file
    (revoked,) = rows(place, "accounts", "revoke", "reader")
    assert revoked["revoked"]
    done = place.call("accounts", "revoke", "reader", check=False)
    assert done.returncode == 2
    assert "no account reader" in done.stderr

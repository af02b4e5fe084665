"""What belongs to one account is not shown to another, and not changed by it: every route."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from deploy.embedded import Embedded
from search.api import create_api
from tests.shell import browser, carry, opened

CANARY = "quartz-of-ann"
ENDLESS = "/api/stream"
OWNED = frozenset({"name", "which", "alert_id", "token_id", "token"})
"""Parameters of a path that name something of Ann's; another account finds nothing there."""

OF_EVERYBODY = ("/login", "/logout", "/unsubscribe/{token}")

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/api/subscriptions/{name}"): {"query": "ferry"},
    ("PUT", "/api/articles/{article_id}/mark"): {"read": True},
}
"""What changes something where nothing is required."""

LISTS = (
    "/api/subscriptions",
    "/api/channels",
    "/api/alerts",
    "/api/marks",
    "/api/feed-tokens",
)


@dataclass(frozen=True, slots=True)
class Two:
    """Two accounts that may read and write, and one that may all; Ann has one of everything."""

    shell: Embedded
    app: FastAPI
    ann: httpx.AsyncClient
    bob: httpx.AsyncClient
    boss: httpx.AsyncClient
    ids: dict[str, str]


@pytest.fixture
async def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    settings = ("api.require_login=true", f"alerts.folder={tmp_path / 'out'}")
    async with opened(tmp_path, *settings) as shell:
        tokens = [shell.accounts.add(name, scopes=("write",))[1] for name in ("ann", "bob")]
        _, all_of_it = shell.accounts.add("boss", scopes=("admin",))
        async with (
            browser(shell, token=tokens[0]) as ann,
            browser(shell, token=tokens[1]) as bob,
            browser(shell, token=all_of_it) as boss,
        ):
            ids = await _belongings(shell, ann, folder=tmp_path / "out")
            app = create_api(shell.services(), from_network=True)
            yield Two(shell, app, ann, bob, boss, ids)


async def _belongings(shell: Embedded, ann: httpx.AsyncClient, *, folder: Path) -> dict[str, str]:
    """One of everything that an account can have, each with the word in it."""
    channel = await ann.post(
        "/api/channels", json={"name": CANARY, "target": f"https://hooks.example/{CANARY}"}
    )
    body = {"name": CANARY, "query": "truce", "to": [f"file:{folder / CANARY}"]}
    subscription = await ann.post("/api/subscriptions", json=body)
    await carry(shell)
    await ann.put("/api/articles/article-1/mark", json={"note": CANARY})
    token = await ann.post("/api/feed-tokens", json={"name": CANARY})
    feed = shell.feeds.add("https://port.example/feed")
    (alert,) = (await ann.get("/api/alerts")).json()["alerts"]
    return {
        "name": subscription.json()["id"],
        "channel": channel.json()["id"],
        "token": f"{subscription.json()['id']}.guessed",
        "alert_id": alert["alert_id"],
        "token_id": token.json()["id"],
        "article_id": "article-1",
        "story_id": alert["story_id"],
        "story": alert["story_id"],
        "revision": "1",
        "topic_id": "ceasefire-talks",
        "feed_id": feed.id,
        "kind": "atom",
        "version": "none",
    }


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route there is, pages too."""
    for included in app.routes:
        if hasattr(included, "effective_route_contexts"):
            for one in included.effective_route_contexts():
                path = re.sub(r":\w+}", "}", one.path)
                yield from ((method, path) for method in sorted(one.methods))


def required(app: FastAPI, method: str, path: str) -> dict[str, Any]:
    """A body with all that the description of the API asks for."""
    description = app.openapi()
    operation = description["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {})
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = description["components"]["schemas"].get(name, {})
    made: dict[str, Any] = {"string": "1h", "boolean": True, "integer": 1, "array": ["1h"]}
    return {one: made[schema["properties"][one]["type"]] for one in schema.get("required", ())}


async def ask(two: Two, client: httpx.AsyncClient, method: str, path: str) -> str:
    """What a request with Ann's ids is answered, the status first."""
    app, ids = two.app, two.ids
    which = ids["channel"] if "/channels/" in path else ids["name"]
    address = re.sub(r"{(\w+)}", lambda match: {**ids, "which": which}[match[1]], path)
    body = BODIES.get((method, path)) or required(app, method, path)
    if method == "GET":
        params: dict[str, str | int] = {"q": "truce", "subscription": ids["name"], "size": 200}
        answer = await client.get(address, params=params)
    elif path.startswith("/api/"):
        answer = await client.request(method, address, json=body)
    else:
        answer = await client.request(method, address, data=body)
    return f"{answer.status_code} {answer.text}"


async def test_no_route_shows_or_changes_what_is_anothers(two: Two) -> None:
    before = [(await two.ann.get(path)).json() for path in LISTS]
    assert all(CANARY in str(found) for found in before)
    shown, let_through = [], []
    for method, path in routes(two.app):
        if path == ENDLESS:
            continue
        said = await ask(two, two.bob, method, path)
        if CANARY in said:
            shown.append((method, path))
        if OWNED & set(re.findall(r"{(\w+)}", path)) and said[:3] not in ("403", "404"):
            let_through.append((method, path, said[:200]))
    assert shown == []
    assert let_through == []
    assert [(await two.ann.get(path)).json() for path in LISTS] == before


async def test_lists_of_another_are_empty_and_the_admins_are_whole(two: Two) -> None:
    for path in LISTS:
        rows = next(iter((await two.bob.get(path)).json().values()))
        assert rows == [], path
    for path in ("/api/subscriptions", "/api/channels", "/api/alerts", "/api/feed-tokens"):
        assert CANARY in (await two.boss.get(path)).text, path
    assert CANARY not in (await two.boss.get("/api/marks")).text  # notes are for oneself


async def test_the_way_of_an_article_names_no_alert_of_another(two: Two) -> None:
    of_ann = (await two.ann.get("/api/articles/article-1")).json()["journey"]
    of_bob = (await two.bob.get("/api/articles/article-1")).json()["journey"]
    assert [step["stage"] for step in of_ann[-1:]] == ["alerted"]
    assert of_bob == of_ann[:-1]


async def test_who_may_read_changes_nothing(two: Two) -> None:
    _, token = two.shell.accounts.add("reader", scopes=("read",))
    async with browser(two.shell, token=token) as reader:
        for method, path in routes(two.app):
            if method != "GET" and path not in OF_EVERYBODY:
                said = await ask(two, reader, method, path)
                assert said.startswith("403"), (method, path, said[:200])

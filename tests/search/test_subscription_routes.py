"""The API of subscriptions: times, history, files, stories that are enough."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded import Embedded
from tests.shell import carry, client, opened


@pytest.fixture
async def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Embedded]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    async with opened(tmp_path, f"alerts.folder={tmp_path}") as found:
        yield found


@pytest.fixture
async def api(shell: Embedded) -> AsyncIterator[httpx.AsyncClient]:
    async with client(shell) as found:
        yield found


@pytest.fixture
def body(tmp_path: Path) -> dict[str, Any]:
    return {"name": "truce", "query": "ferry", "to": [f"file:{tmp_path}/alerts.jsonl"]}


async def test_all_that_a_subscription_has_can_be_set_and_ended(
    api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    more = {"digest": "0 8 * * *", "quiet": "22:00-07:00", "throttle": "5/1h", "languages": ["en"]}
    made = (await api.post("/api/subscriptions", json=body | more)).json()
    assert (made["query"], made["mode"]) == ("(ferry) AND lang:en", "digest")
    changed = await api.patch("/api/subscriptions/truce", json={"digest": "", "quiet": ""})
    assert (changed.json()["mode"], changed.json()["throttle"]) == ("instant", "5/1h")
    refused = await api.patch("/api/subscriptions/truce", json={"throttle": "many"})
    assert (refused.status_code, refused.json()["hint"][:5]) == (400, "Write")


async def test_the_caret_counts_in_the_query_as_it_was_written(
    api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    wrong = body | {"query": "ferry AND (", "sources": ["x.org"]}
    plain = await api.post("/api/subscriptions", json=body | {"query": "ferry AND ("})
    narrowed = await api.post("/api/subscriptions", json=wrong)
    assert narrowed.json()["caret"] == plain.json()["caret"]


async def test_a_preview_and_a_backfill_tell_the_same(
    shell: Embedded, api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    await carry(shell)
    told = (await api.post("/api/subscriptions/preview", json={"query": "ferry"})).json()
    await api.post("/api/subscriptions", json=body)
    asked = await api.post("/api/subscriptions/truce/backfill", json={"since": "24h"})
    assert asked.json()["backfill_version"] == 2
    while shell.alerts.lag():
        shell.alerts.step(0)
    alerts = (await api.get("/api/alerts")).json()["alerts"]
    assert len(alerts) == told["would_have_sent"] == 2
    shown = (await api.get("/api/subscriptions/truce")).json()
    assert [(row["done"], row["alerts"]) for row in shown["backfills"]] == [(True, 2)]
    bad = await api.post("/api/subscriptions/preview", json={"query": "ferry AND ("})
    assert (bad.status_code, bad.json()["caret"]) == (400, 11)
    nothing = await api.post("/api/subscriptions/x/backfill", json={"since": "24h"})
    assert nothing.status_code == 404


async def test_a_file_of_subscriptions_is_read_again(
    api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    await api.post("/api/subscriptions", json=body)
    text = (await api.get("/api/subscriptions.yaml")).text
    again = await api.post("/api/subscriptions.yaml", json={"text": text})
    assert again.json()["unchanged"] == ["truce"]
    changed = text.replace("query: ferry", "query: choir")
    assert (await api.post("/api/subscriptions.yaml", json={"text": changed})).json()[
        "changed"
    ] == ["truce"]
    bad = await api.post("/api/subscriptions.yaml", json={"text": "- a\n- b"})
    assert (bad.status_code, bad.json()["code"]) == (400, "file")


async def test_a_story_is_muted_while_somebody_runs(
    shell: Embedded, api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    await api.post("/api/subscriptions", json=body)
    at_rest = await api.post("/api/subscriptions/truce/mute", json={"story_id": "one"})
    assert at_rest.json()["code"] == "not-running"
    async with shell.working():
        muted = await api.post("/api/subscriptions/truce/mute", json={"story_id": "one"})
        assert muted.json()["muted"] is True
        heard = await api.delete("/api/subscriptions/truce/mute/one")
        assert heard.json()["muted"] is False
    for wrong in ("", "a b", "x" * 65):
        refused = await api.post("/api/subscriptions/truce/mute", json={"story_id": wrong})
        assert refused.status_code == 422


async def test_failed_alerts_are_tried_again_by_their_time(
    shell: Embedded, api: httpx.AsyncClient, body: dict[str, Any], tmp_path: Path
) -> None:
    target = tmp_path / "alerts.jsonl"
    target.mkdir()  # nothing can be written there
    await api.post("/api/subscriptions", json=body)
    await carry(shell)
    rows = (await api.get("/api/alerts")).json()["alerts"]
    assert {row["state"] for row in rows} <= {"waiting", "failed"}
    await api.delete("/api/subscriptions/truce")
    await shell.retry_alerts([row["alert_id"] for row in rows])
    failed = (await api.get("/api/alerts", params={"state": "failed"})).json()["alerts"]
    assert len(failed) == 2
    again = await api.post("/api/alerts/retry", json={"since": "1h"})
    assert sorted(again.json()["alert_ids"]) == sorted(row["alert_id"] for row in failed)
    assert (await api.post("/api/alerts/retry", json={"since": "x"})).status_code == 400

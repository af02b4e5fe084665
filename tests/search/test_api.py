"""The API over a real data folder: answers, pages, and problems with a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from ingest.errors import StoreError
from tests.shell import carry, client, opened


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def api(shell: Embedded) -> AsyncIterator[httpx.AsyncClient]:
    async with client(shell) as found:
        yield found


async def test_search_gives_hits_totals_facets_and_a_cursor(
    shell: Embedded, api: httpx.AsyncClient
) -> None:
    await carry(shell)
    first = (await api.get("/api/search", params={"q": "ferry", "size": 1})).json()
    assert [hit["id"] for hit in first["hits"]] == ["article-3"]
    assert first["end"]["total"] == {"value": 2, "relation": "eq"}
    params = {"q": "ferry", "size": 1, "after": first["end"]["after"], "facets": "source"}
    second = (await api.get("/api/search", params=params)).json()
    assert [hit["id"] for hit in second["hits"]] == ["article-2"]
    assert second["end"]["facets"] == {"source": [{"value": "port.example", "count": 2}]}


async def test_an_article_shows_topics_revisions_and_its_way(
    shell: Embedded, api: httpx.AsyncClient
) -> None:
    await carry(shell)
    found = (await api.get("/api/articles/article-1")).json()
    assert found["topics"] == ["ceasefire-talks"]
    assert found["topic_tags"][0]["evidence"]
    assert [step["stage"] for step in found["journey"]] == [
        "fetched",
        "tagged",
        "registered",
        "indexed",
    ]
    assert found["journey"][-1]["sentence"] == "searchable"


async def test_a_story_lists_its_articles(shell: Embedded, api: httpx.AsyncClient) -> None:
    await carry(shell)
    story_id = (await api.get("/api/articles/article-2")).json()["story_id"]
    story = (await api.get(f"/api/stories/{story_id}")).json()
    assert "article-2" in {one["id"] for one in story["articles"]}
    assert story["size"] == len(story["articles"])


async def test_a_query_with_a_fault_is_a_problem_with_a_caret(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/search", params={"q": "truce AND (ferry"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["caret"]) == ("query", 10)
    assert problem["hint"]
    assert problem["detail"] == problem["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/articles/nothing", 404),
        ("GET", "/api/stories/nothing", 404),
        ("GET", "/api/topics/nothing", 404),
        ("GET", "/api/subscriptions/nothing", 404),
        ("POST", "/api/alerts/nothing/retry", 404),
        ("DELETE", "/api/feeds/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/feeds", 405),
        ("GET", "/api/search", 422),
        ("GET", "/api/search?q=x&size=201", 422),
        ("GET", "/api/search?q=x&sort=best", 422),
        ("GET", "/api/search?q=x&since=soon", 400),
        ("GET", "/api/search?q=x&facets=colour", 400),
        ("GET", "/api/search?q=x&interval=1x", 400),
        ("GET", "/api/alerts?after=nothing", 400),
        ("GET", "/local/doctor", 404),
    ],
)
async def test_every_problem_is_a_document_with_a_sentence(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"error", "code", "hint", "detail", "status"} <= set(answer.json())


async def test_feeds_are_added_paged_and_removed(api: httpx.AsyncClient) -> None:
    urls = {f"https://port{number}.example/feed" for number in range(5)}
    for url in urls:
        assert (await api.post("/api/feeds", json={"url": url})).status_code == 201
    again = await api.post("/api/feeds", json={"url": urls.copy().pop()})
    assert again.status_code == 400
    seen, after = set[str](), ""
    while True:
        page = (await api.get("/api/feeds", params={"size": 2, "after": after})).json()
        seen |= {row["url"] for row in page["feeds"]}
        assert len(page["feeds"]) <= 2
        if not (after := page["after"]):
            break
        assert after == page["feeds"][-1]["feed_id"]
    assert seen == urls
    gone = page["feeds"][-1]["feed_id"]
    assert (await api.delete(f"/api/feeds/{gone}")).json()["feed_id"] == gone
    assert len((await api.get("/api/feeds")).json()["feeds"]) == 4


async def test_the_secret_of_a_feed_is_never_shown(api: httpx.AsyncClient, tmp_path: Path) -> None:
    url = "https://reader:opensesame@port.example/feed?key=canary-4711&page=2"
    said = (await api.post("/api/feeds", json={"url": url})).text
    said += (await api.get("/api/feeds")).text
    assert "page=2" in said
    for secret in ("opensesame", "canary-4711"):
        assert secret not in said
        for file in (tmp_path / "data").glob("log.sqlite*"):
            assert secret.encode() not in file.read_bytes()


async def test_subscriptions_are_made_changed_paged_and_removed(
    shell: Embedded, tmp_path: Path
) -> None:
    async with client(shell, from_network=False) as api:
        target = f"file:{tmp_path}/alerts.jsonl"
        for name in ("b/c", "a", "d"):
            body = {"name": name, "query": "ferry", "to": [target]}
            made = await api.post("/api/subscriptions", json=body)
            assert made.status_code == 201
            assert made.json()["endpoints"] == [{"to": target, "secret": ""}]
        page = (await api.get("/api/subscriptions", params={"size": 2})).json()
        rest = await api.get("/api/subscriptions", params={"after": page["after"]})
        names = [row["name"] for row in page["subscriptions"] + rest.json()["subscriptions"]]
        assert sorted(names) == ["a", "b/c", "d"]
        changed = await api.patch("/api/subscriptions/b%2Fc", json={"query": "choir"})
        assert (changed.json()["query"], changed.json()["version"]) == ("choir", 2)
        assert "endpoints" not in changed.json()
        sent = (await api.post("/api/subscriptions/b%2Fc/test")).json()["deliveries"]
        assert [row["error"] for row in sent] == [""]
        assert (tmp_path / "alerts.jsonl").read_text().count("\n") == 1
        assert (await api.delete("/api/subscriptions/b%2Fc")).status_code == 200
        assert (await api.get("/api/subscriptions/b%2Fc")).status_code == 404


async def test_a_subscription_to_a_topic_that_does_not_exist_is_refused(
    shell: Embedded, tmp_path: Path
) -> None:
    async with client(shell, from_network=False) as api:
        body = {"name": "a", "query": "topic:ceasfire-talks", "to": [f"file:{tmp_path}/a.jsonl"]}
        refused = await api.post("/api/subscriptions", json=body)
        assert refused.status_code == 400
        assert "Did you mean topic:ceasefire-talks?" in refused.text
        body["query"] = "topic:ceasefire-talks"
        assert (await api.post("/api/subscriptions", json=body)).status_code == 201
        changed = await api.patch("/api/subscriptions/a", json={"query": "topic:arms"})
        assert changed.status_code == 400


async def test_who_changes_the_targets_is_told_the_secrets_of_the_new_ones(
    shell: Embedded,
) -> None:
    first, second = "https://one.example/hook", "https://two.example/hook"
    async with client(shell, from_network=False) as api:
        body = {"name": "a", "query": "ferry", "to": [first]}
        made = (await api.post("/api/subscriptions", json=body)).json()
        changed = (await api.patch("/api/subscriptions/a", json={"to": [first, second]})).json()
    known, new = changed["endpoints"]
    assert known == made["endpoints"][0]
    assert (new["to"], new["secret"][:6]) == (second, "whsec_")
    assert new["secret"] != known["secret"]


async def test_alerts_are_paged_newest_first_without_what_they_send(
    shell: Embedded, tmp_path: Path
) -> None:
    async with client(shell, from_network=False) as api:
        for name in ("one", "two", "three"):
            body = {"name": name, "query": "truce", "to": [f"file:{tmp_path}/{name}.jsonl"]}
            await api.post("/api/subscriptions", json=body)
        await carry(shell)
        page = (await api.get("/api/alerts", params={"size": 2})).json()
        rest = (await api.get("/api/alerts", params={"after": page["after"]})).json()
        rows = page["alerts"] + rest["alerts"]
        assert sorted(row["subscription_name"] for row in rows) == ["one", "three", "two"]
        assert all(row["state"] == "sent" and "payload" not in row for row in rows)
        only = await api.get("/api/alerts", params={"subscription": "two", "state": "sent"})
        assert [row["subscription_name"] for row in only.json()["alerts"]] == ["two"]
        assert (await api.get("/api/alerts", params={"state": "failed"})).json()["alerts"] == []


async def test_the_state_of_the_process_is_told(shell: Embedded, api: httpx.AsyncClient) -> None:
    assert (await api.get("/healthz")).text == "ok\n"
    assert (await api.get("/readyz")).status_code == 200
    assert "wirewatch_lag_records" in (await api.get("/metrics")).text
    assert "/api/search" in (await api.get("/openapi.json")).json()["paths"]
    shell.stages.failure = StoreError("gone", sentence="The disk is gone.")
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The disk is gone.\n")


async def test_a_query_is_checked_while_it_is_typed(
    shell: Embedded, api: httpx.AsyncClient
) -> None:
    await carry(shell)
    found = (await api.get("/api/query/check", params={"q": "ferry OR truce"})).json()
    assert found["hits_a_day"] == 3
    assert found["explanation"]
    for text in ("ferry AND (", '"', "(" * 5_000, "a" * 10_000, "\x00", "NOT", "*", "~~~", ""):
        answer = await api.get("/api/query/check", params={"q": text})
        assert answer.status_code < 500, text


async def test_a_stream_is_no_answer_to_a_log_that_is_away(
    shell: Embedded, api: httpx.AsyncClient
) -> None:
    shell.live.close()
    answer = await api.get("/api/stream")
    assert answer.status_code == 503
    assert answer.json()["error"]

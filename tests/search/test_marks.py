"""Marks: each owner has their own; what says nothing any more is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from ingest.errors import NotFoundError, UsageError
from search.marks import TOPIC, MarkStore
from tests.alerting import Clock, Newsdesk, story
from tests.shell import carry, client, opened


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    found = Newsdesk(folder=tmp_path)
    found.publish(story("one"), story("two"))
    yield found
    found.close()


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def api(shell: Embedded) -> AsyncIterator[httpx.AsyncClient]:
    async with client(shell) as found:
        yield found


def test_what_is_given_changes_and_the_rest_stays(desk: Newsdesk) -> None:
    marks = MarkStore(desk.log, clock=Clock())
    marks.change("ann", "one", starred=True)
    marks.change("ann", "one", note="  ask \x1bher ")
    found = marks.change("ann", "one", read=True)
    assert (found.starred, found.note, found.read) == (True, "ask her", True)
    assert marks.of("ann", ["one", "two"]) == {"one": found}


def test_nobody_sees_the_marks_of_others(desk: Newsdesk) -> None:
    marks = MarkStore(desk.log)
    marks.change("ann", "one", note="mine")
    marks.change("anna", "one", starred=True)
    assert [one.owner for one in marks.all("ann")] == ["ann"]
    assert marks.of("anna", ["one"])["one"].note == ""
    assert marks.of("bob", ["one"]) == {}


def test_a_mark_that_says_nothing_leaves_the_log(desk: Newsdesk) -> None:
    marks = MarkStore(desk.log)
    marks.change("ann", "one", starred=True)
    marks.change("ann", "one", starred=False)
    assert list(desk.log.table(TOPIC).items()) == []


def test_only_articles_that_are_there_are_marked(desk: Newsdesk) -> None:
    with pytest.raises(NotFoundError):
        MarkStore(desk.log).change("ann", "three", starred=True)
    with pytest.raises(UsageError):
        MarkStore(desk.log).change("ann", "one", note="x" * 2_001)


async def test_marks_are_put_listed_and_shown_with_hits(
    shell: Embedded, api: httpx.AsyncClient
) -> None:
    await carry(shell)
    for name, body in (("article-1", {"read": True}), ("article-2", {"starred": True})):
        answer = await api.put(f"/api/articles/{name}/mark", json=body)
        assert answer.status_code == 200
    listed = (await api.get("/api/marks")).json()
    assert {one["article_id"] for one in listed["marks"]} == {"article-1", "article-2"}
    starred = (await api.get("/api/marks", params={"starred": True})).json()["marks"]
    assert [one["article"]["title"] for one in starred] == ["Ferry runs"]
    page = (await api.get("/api/marks", params={"size": 1})).json()
    rest = (await api.get("/api/marks", params={"after": page["after"]})).json()
    assert [*page["marks"], *rest["marks"]] == listed["marks"]
    hits = (await api.get("/api/search", params={"q": "ferry"})).json()["hits"]
    assert {one["id"]: one.get("mark", {}).get("starred") for one in hits} == {
        "article-2": True,
        "article-3": None,
    }
    assert (await api.get("/api/articles/article-1")).json()["mark"]["read"] is True


@pytest.mark.parametrize(
    ("body", "status"),
    [({"note": "x" * 2_001}, 422), ({"colour": 1}, 422), ({"starred": "perhaps"}, 422)],
)
async def test_a_wrong_mark_is_a_problem(
    api: httpx.AsyncClient, body: dict[str, object], status: int
) -> None:
    answer = await api.put("/api/articles/article-1/mark", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_a_mark_of_nothing_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.put("/api/articles/nothing/mark", json={"read": True})
    assert answer.status_code == 404

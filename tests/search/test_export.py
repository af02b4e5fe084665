"""Exports: all that is found, in order, once; a break in the middle is seen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.cli import main
from deploy.embedded import Embedded
from ingest.errors import UnavailableError
from processors.query import parse
from search import export
from search.index import Checkpoint, Index, SearchRequest, SearchResult
from search.tantivy_index import TantivyIndex
from tests.shell import carry, client, opened
from tests.story_records import story

TOTAL = 450


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TantivyIndex]:
    found = TantivyIndex(tmp_path / "index")
    records = [
        story(f"article-{number}", f"Ferry {number} runs. Harbour.", order=number)
        for number in range(TOTAL)
    ]
    found.write(records, checkpoint=Checkpoint(log="test", stories={0: TOTAL}))
    found.refresh()
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


@pytest.mark.parametrize("query", ["ferry", "ferry SAMESENT runs", "ferry NEAR/3 runs"])
def test_everything_is_exported_once_in_the_order_of_time(index: Index, query: str) -> None:
    request = SearchRequest(query=parse(query, where="search"))
    found = [hit for page in export.pages(index, request) for hit in page]
    assert len({hit.article.id for hit in found}) == len(found) == TOTAL
    places = [(hit.article.seen, hit.article.id) for hit in found]
    assert places == sorted(places, reverse=True)


async def test_csv_and_lines_say_the_same(shell: Embedded, api: httpx.AsyncClient) -> None:
    await carry(shell)
    answer = await api.get("/api/export", params={"q": "ferry"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith('.csv"')
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.count(b"\r\n") == 3
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    lines = await api.get("/api/export", params={"q": "ferry", "format": "jsonl"})
    found = [json.loads(line) for line in lines.text.splitlines()]
    assert [one["id"] for one in rows] == [one["id"] for one in found]
    assert {one["title"] for one in rows} == {"Ferry runs", "Choir"}
    assert "text" not in found[0]


@pytest.mark.parametrize(
    ("params", "status"),
    [({"q": "("}, 400), ({"q": "x", "format": "xls"}, 422), ({"q": "x", "since": "soon"}, 400)],
)
async def test_a_wrong_export_is_a_problem(
    api: httpx.AsyncClient, params: dict[str, str], status: int
) -> None:
    answer = await api.get("/api/export", params=params)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_an_export_that_breaks_off_does_not_look_whole(
    shell: Embedded, api: httpx.AsyncClient, index: TantivyIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(request: SearchRequest) -> SearchResult:
        if request.after:
            raise UnavailableError("the index went away")
        return TantivyIndex.search(index, request)

    monkeypatch.setattr(shell.index, "search", breaking)
    with pytest.raises(RuntimeError, match="already started"):  # the server cuts the connection
        await api.get("/api/export", params={"q": "ferry"})
    async with client(shell, local=True) as local:
        lines = (await local.get("/local/export", params={"q": "ferry"})).text.splitlines()
    assert len(lines) == 201
    assert json.loads(lines[-1])["error"]


def test_the_command_writes_a_file_and_says_how_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.csv"
    options = ["--data", str(tmp_path / "data"), "export", "ferry"]
    assert main([*options, "-o", str(file)]) == 0
    assert "exported 0 articles" in capsys.readouterr().err
    assert file.read_bytes() == export.head("csv").encode()
    assert main([*options, "--format", "xls"]) == 2
    assert main(["--data", str(tmp_path / "data"), "export", "(", "-o", str(file)]) == 2
    assert sorted(one.name for one in tmp_path.glob("out.csv*")) == ["out.csv"]

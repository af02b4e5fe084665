"""Wrong arguments, files and settings: one sentence, where it is, what to do; never a traceback."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running import COMMAND, ROOT, Place, Running

FILES: dict[str, str | bytes] = {
    "wirewatch.toml": "[api]\nport = 8720\nprt = 1\n",
    "broken.toml": "[api\nport = 1\n",
    "broken.opml": '<opml version="2.0">\n<body>\n<outline xmlUrl="https://a.example/feed">\n</opml>\n',
    "entities.opml": '<!DOCTYPE o [<!ENTITY a "b">]>\n<opml><body/></opml>\n',
    "latin1.txt": b"https://caf\xe9.example/feed\n",
    "broken.yaml": "id: ferries\nlang: en\n  label: Ferries\n",
    "unknown-key.yaml": "id: ferries\nlang: en\nversion: 1\nlabell: Ferries\n",
    "queries.jsonl": '{"id":"good","query":"truce"}\n{"id":"bad","query":"truce AND (ferry"}\n',
    "not.jsonl": '{"id":"good","query":"truce"}\nnot json\n',
}


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A command, and what must stand in its complaint."""

    verb: tuple[str, ...]
    says: tuple[str, ...]
    code: str = "usage"
    options: tuple[str, ...] = ()
    status: int = 2


WRONG = {
    "setting in the file": Wrong(
        verb=("feeds", "list"),
        options=("--config", "{files}/wirewatch.toml"),
        says=("there is no setting api.prt", "wirewatch.toml", "Did you mean api.port?"),
        code="unknown-setting",
    ),
    "setting on the command line": Wrong(
        verb=("feeds", "list"),
        options=("--set", "fetch.total_second=3"),
        says=("there is no setting fetch.total_second", "Did you mean fetch.total_seconds?"),
        code="unknown-setting",
    ),
    "value outside its limit": Wrong(
        verb=("run", "--port", "70000"),
        says=("api.port", "70000", "65535"),
        code="bad-setting",
    ),
    "settings file that is no TOML": Wrong(
        verb=("feeds", "list"),
        options=("--config", "{files}/broken.toml"),
        says=("broken.toml", "line 1"),
        code="file",
    ),
    "settings file that is not there": Wrong(
        verb=("feeds", "list"),
        options=("--config", "{files}/nothing.toml"),
        says=("nothing.toml", "No such file", "--config"),
        code="file",
    ),
    "scope that is not there": Wrong(
        verb=("accounts", "add", "desk", "--scope", "superuser"),
        says=("--scope superuser is unknown", "Use read, write, admin."),
    ),
    "more hits than a page has": Wrong(
        verb=("search", "truce", "--size", "999"),
        says=("--size", "less than or equal to 200"),
    ),
    "ill-formed OPML": Wrong(
        verb=("feeds", "add", "{files}/broken.opml"),
        says=("broken.opml", "line 4", "othing was imported"),
        code="file",
    ),
    "OPML with entities": Wrong(
        verb=("feeds", "add", "{files}/entities.opml"),
        says=("entities.opml", "entities"),
        code="file",
    ),
    "list that is no text": Wrong(
        verb=("feeds", "add", "{files}/latin1.txt"),
        says=("latin1.txt", "line 1", "UTF-8"),
        code="file",
    ),
    "list that is not there": Wrong(
        verb=("run", "--feeds", "{files}/nothing.opml"),
        says=("nothing.opml", "No such file"),
        code="file",
    ),
    "address without a scheme": Wrong(
        verb=("feeds", "add", "news.example/feed.xml"),
        says=("news.example/feed.xml", "Did you mean https://news.example/feed.xml ?"),
        code="file",
    ),
    "no address at all": Wrong(verb=("feeds", "add", ""), says=("no feed to add", "URL, a file")),
    "address of a local file": Wrong(
        verb=("feeds", "add", "file:///etc/hostname"),
        says=("Only http and https", "not file"),
        code="url",
    ),
    "script as an address": Wrong(
        verb=("feeds", "add", "javascript:alert(1)"), says=("Only http and https",), code="url"
    ),
    "ill-formed YAML": Wrong(
        verb=("topics", "check", "{files}/broken.yaml"),
        says=("broken.yaml:3", "not YAML"),
        status=1,
        code="",
    ),
    "unknown key of a topic": Wrong(
        verb=("topics", "check", "{files}/unknown-key.yaml"),
        says=("unknown-key.yaml:4", "labell", "label"),
        status=1,
        code="",
    ),
    "folder of topics that is not there": Wrong(
        verb=("topics", "list", "--topics", "{files}/nothing"),
        says=("{files}/nothing", "--topics"),
        code="file",
    ),
    "open parenthesis": Wrong(
        verb=("search", "truce AND (ferry"),
        says=("never closed", "truce AND (ferry\n            ^", "Add a )"),
        code="query",
    ),
    "unknown field": Wrong(
        verb=("query", "check", "sorce:bbc.co.uk"),
        says=("sorce", "source", "^"),
        code="query",
    ),
    "subscription to a query with a fault": Wrong(
        verb=("subscriptions", "add", "x", "truce NEAR/ talks"),
        says=("truce NEAR/ talks\n", "^"),
        code="query",
    ),
    "query in a file": Wrong(
        verb=("match", "--queries", "{files}/queries.jsonl"),
        says=("queries.jsonl, line 2", "never closed"),
        code="query",
    ),
    "line that is no JSON": Wrong(
        verb=("match", "--queries", "{files}/not.jsonl"),
        says=("not.jsonl", "line 2 is not JSON"),
        code="file",
    ),
    "target of an unknown kind": Wrong(
        verb=("subscriptions", "add", "x", "truce", "--to", "gopher://x"),
        says=("gopher", "https://", "mailto:"),
        code="unknown-target",
    ),
    "unknown subscription": Wrong(
        verb=("subscriptions", "show", "nobody"),
        says=("there is no subscription nobody", "wirewatch subscriptions list"),
        code="not-found",
    ),
    "unknown article": Wrong(
        verb=("article", "-does-not-exist-000000"),
        says=("there is no article -does-not-exist-000000", "wirewatch search"),
        code="not-found",
    ),
    "unknown feed": Wrong(
        verb=("feeds", "remove", "-nothing"),
        says=("there is no feed -nothing", "wirewatch feeds list"),
        code="not-found",
    ),
    "unknown alert": Wrong(
        verb=("alerts", "retry", "-nothing"),
        says=("there is no alert -nothing", "wirewatch alerts list"),
        code="not-found",
    ),
    "unknown topic": Wrong(
        verb=("topics", "show", "ferries"),
        says=("there is no topic ferries", "wirewatch topics list"),
        code="not-found",
    ),
    "unknown row of the quarantine": Wrong(
        verb=("quarantine", "show", "nothing"),
        says=("nothing", "wirewatch quarantine list"),
        code="not-found",
    ),
    "unknown command": Wrong(verb=("saerch", "truce"), says=("saerch", "Did you mean 'search'?")),
    "unknown option": Wrong(
        verb=("search", "truce", "--sizes", "3"), says=("--sizes", "--size", "search --help")
    ),
    "missing argument": Wrong(verb=("search",), says=("Missing argument", "search --help")),
    "number that is none": Wrong(
        verb=("search", "truce", "--size", "many"), says=("--size", "search --help")
    ),
    "page that is too large": Wrong(
        verb=("search", "truce", "--size", "1000"), says=("size", "200")
    ),
    "order that is none": Wrong(
        verb=("search", "truce", "--sort", "best"), says=("--sort best", "relevance, newest")
    ),
    "facet that is none": Wrong(
        verb=("search", "truce", "--facets", "colour"), says=("colour", "topic, source, lang")
    ),
    "interval that is none": Wrong(verb=("search", "truce", "--interval", "1x"), says=("1x", "1h")),
    "cursor that is none": Wrong(verb=("search", "truce", "--after", "zzz"), says=("cursor",)),
    "time that is none": Wrong(
        verb=("search", "truce", "--since", "yesteryear"),
        says=("yesteryear", "24h"),
        code="bad-time",
    ),
    "stage that is none": Wrong(
        verb=("replay", "--from", "24h", "--stage", "poll"),
        says=("--stage poll", "tag, group, index"),
    ),
    "window that is none": Wrong(
        verb=("group", "--window", "3 weeks"), says=("--window 3 weeks", "72h")
    ),
    "address that others can reach": Wrong(
        verb=("run", "--host", "192.0.2.1"),
        says=("192.0.2.1", "no account yet", "wirewatch accounts add"),
        code="no-account",
    ),
    "nobody to watch": Wrong(
        verb=("alerts", "watch"),
        says=("Nothing runs on this data folder", "wirewatch run"),
        status=1,
        code="not-running",
    ),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place where somebody runs: most faults are found by the API, and sooner than at rest."""
    place = Place(folder=tmp_path_factory.mktemp("bad"))
    for name, content in FILES.items():
        (place.folder / name).write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
    process = Running(place, "run", "--no-web")
    try:
        asyncio.run(process.ready())
        yield place
    finally:
        status = asyncio.run(process.terminate())
    assert status == 0
    assert "Traceback" not in process.said()


def complained(place: Place, wrong: Wrong, *more: str) -> subprocess.CompletedProcess[str]:
    given = [part.format(files=place.folder) for part in (*wrong.options, *wrong.verb, *more)]
    elsewhere = wrong.verb[0] in {"run", "alerts"} and "retry" not in wrong.verb
    found = Place(folder=place.folder, data_name="elsewhere" if elsewhere else "data")
    return found.call(*given, check=False)


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_is_a_sentence_with_place_and_remedy(running: Place, name: str) -> None:
    wrong = WRONG[name]
    done = complained(running, wrong)
    said = done.stderr if wrong.code else done.stdout
    assert done.returncode == wrong.status, done.stderr
    assert "Traceback" not in done.stderr
    for part in wrong.says:
        assert part.format(files=running.folder) in said
    assert len(done.stderr.splitlines()) <= 4


@pytest.mark.parametrize("name", [name for name, wrong in WRONG.items() if wrong.code])
def test_a_program_gets_the_fault_as_an_object(running: Place, name: str) -> None:
    wrong = WRONG[name]
    done = complained(running, wrong, "--json")
    assert done.returncode == wrong.status
    found = json.loads(done.stderr.splitlines()[-1])
    assert set(found) >= {"error", "code", "hint"}
    assert found["code"] == wrong.code
    if wrong.code == "query":
        assert found["caret"] >= 0


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        place = Place(folder=tmp_path)
        done = place.call("run", "--port", str(port), check=False)
    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 is in use" in done.stderr
    assert "--no-web" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_copy_says_who_runs(running: Place) -> None:
    first = json.loads((running.data / "lock").read_text())["pid"]
    for verb in (("run",), ("run", "--once")):
        done = running.call(*verb, check=False)
        assert done.returncode == 2
        assert f"Already running (pid {first})" in done.stderr
        assert "--data" in done.stderr


def test_a_query_that_is_no_text_is_refused(running: Place) -> None:
    done = running.call("search", "truce \udcff", check=False)
    assert done.returncode == 2
    assert "not text in UTF-8" in done.stderr


def test_a_data_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    done = Place(folder=tmp_path).call("feeds", "list", check=False)
    assert done.returncode == 2
    assert "is not a folder" in done.stderr or "cannot be made" in done.stderr
    assert "--data" in done.stderr


def test_a_reader_that_goes_away_ends_the_command_in_silence(running: Place) -> None:
    with subprocess.Popen(
        [sys.executable, *COMMAND, *running.arguments("config", "show", "--json")],
        cwd=ROOT,
        env=running.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        command.stdout.close()
        assert command.stderr is not None
        assert command.stderr.read() == b""

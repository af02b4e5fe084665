"""``wirewatch kibana export`` and ``install``, against a small stand-in for Kibana on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cli import main
from deploy.kibana.dashboards import DASHBOARDS
from tests.deploy.fake_kibana import FakeKibana


@pytest.fixture
def kibana() -> Iterator[FakeKibana]:
    with FakeKibana().running() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def install(kibana: FakeKibana, *more: str) -> int:
    wait = () if "--wait" in more else ("--wait", "0")
    return main(["kibana", "install", "--kibana", kibana.url, *wait, *more])


def failure(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def written(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_export_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kibana", "export"]) == 0

    kinds = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert kinds.count("dashboard") == len(DASHBOARDS) == 4
    assert kinds.count("index-pattern") == 3


def test_the_export_is_the_same_in_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["kibana", "export"])
    assert main(["kibana", "export", str(tmp_path / "it.ndjson")]) == 0

    assert (tmp_path / "it.ndjson").read_text("utf-8") == capsys.readouterr().out


def test_the_export_is_of_the_indices_that_the_settings_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--set", "index.prefix=press", "kibana", "export"]) == 0

    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    views = {one["attributes"]["title"] for one in objects if one["type"] == "index-pattern"}
    assert views == {"press-articles", "press-alerts", "press-feeds"}


def test_an_install_says_where_the_dashboards_are(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install(kibana) == 0

    told = capsys.readouterr().out
    assert "4 dashboards are in Kibana 9.5.3:" in told
    for one in kibana.objects:
        if one[0] == "dashboard":
            assert f"{kibana.url}/app/dashboards#/view/{one[1]}" in told


def test_an_install_again_replaces_and_adds_nothing(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    install(kibana)
    first = dict(kibana.objects)
    capsys.readouterr()

    assert install(kibana, "--json") == 0
    assert kibana.objects == first
    assert kibana.asked.count("POST /api/saved_objects/_import?overwrite=true") == 2
    told = json.loads(capsys.readouterr().out)
    assert told["objects"] == len(first)
    assert [one["title"] for one in told["dashboards"]] == [one.title for one in DASHBOARDS]


def test_an_install_waits_until_kibana_is_ready_and_says_so(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    kibana.starting = 1

    assert install(kibana, "--wait", "30", "--json") == 0
    assert kibana.asked.count("GET /api/status") == 2
    told = capsys.readouterr()
    assert "is not ready yet" in told.err
    assert json.loads(told.out)["version"] == kibana.version


def test_a_space_is_part_of_the_address(kibana: FakeKibana) -> None:
    kibana.url += "/s/news/"

    assert install(kibana) == 0
    assert "POST /s/news/api/saved_objects/_import?overwrite=true" in kibana.asked


@pytest.mark.parametrize("wait", ["0", "0.2"])
def test_a_kibana_that_is_not_there_is_said_in_a_sentence(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str], wait: str
) -> None:
    kibana.url = "http://127.0.0.1:1"

    assert install(kibana, "--wait", wait) == 1
    told = failure(capsys)
    assert "Kibana does not answer at http://127.0.0.1:1 (Connection refused)." in told
    assert "--kibana" in told


def test_a_kibana_that_never_gets_ready_is_said(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    kibana.starting = 99

    assert install(kibana) == 1
    assert "is not ready yet (unavailable)" in failure(capsys)


def test_a_refused_login_names_the_options_and_shows_no_key(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kibana.authorization = "ApiKey right"

    assert install(kibana, "--api-key-file", written(tmp_path, "key", "wrong-key\n")) == 1
    told = failure(capsys)
    assert "refuses the login (401)" in told
    assert "--api-key-file" in told
    assert "wrong-key" not in told


def test_an_api_key_or_a_password_is_read_from_its_file(kibana: FakeKibana, tmp_path: Path) -> None:
    kibana.authorization = "ApiKey right"
    assert install(kibana, "--api-key-file", written(tmp_path, "key", "right\n")) == 0

    kibana.authorization = f"Basic {base64.b64encode(b'ada:love').decode()}"
    password = written(tmp_path, "password", "love\n")
    assert install(kibana, "--user", "ada", "--password-file", password) == 0


def test_a_login_may_lack_the_privilege(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    kibana.refusal = (403, "Unable to bulk_create dashboard,index-pattern,search")

    assert install(kibana) == 1
    assert "Saved Objects Management" in failure(capsys)


@pytest.mark.parametrize("version", ["7.17.9", "8.8.2"])
def test_an_older_kibana_is_refused_before_anything_is_written(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    kibana.version = version

    assert install(kibana) == 1
    assert f"is {version}; the dashboards need 8.9 or later." in failure(capsys)
    assert not kibana.objects


@pytest.mark.parametrize("version", ["8.9.0", "8.19.21", "9.0.0-SNAPSHOT", "10.1.0"])
def test_a_newer_kibana_is_taken(kibana: FakeKibana, version: str) -> None:
    kibana.version = version

    assert install(kibana) == 0


def test_a_kibana_that_hides_its_version_is_taken(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    kibana.status = {"status": {"overall": {"level": "available"}}}

    assert install(kibana) == 0
    assert "4 dashboards are in Kibana:" in capsys.readouterr().out


def test_something_else_at_the_address_is_said(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    kibana.status = {"name": "node-1", "tagline": "You Know, for Search"}

    assert install(kibana) == 1
    assert "does not answer as a Kibana does" in failure(capsys)


def test_an_import_that_answers_200_with_errors_has_failed(
    kibana: FakeKibana, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"type": "unsupported_type", "message": "made by a newer version"}
    kibana.errors = [{"type": "dashboard", "id": "wirewatch-dashboard-alerts", "error": error}]

    assert install(kibana) == 1
    told = failure(capsys)
    assert "took 10 of 11 objects" in told
    assert "dashboard wirewatch-dashboard-alerts: made by a newer version" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--kibana", "kibana:5601"), "this cannot be Kibana's address"),
        (("--kibana", "http://ada:love@localhost/"), "this cannot be Kibana's address"),
        (("--user", "ada"), "a user without a password"),
        (("--api-key-file", "no-such-file"), "The file of [kibana] api_key_file cannot be read"),
    ],
)
def test_wrong_use_is_told_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], sentence: str
) -> None:
    assert main(["kibana", "install", "--wait", "0", *arguments]) == 2
    told = failure(capsys)
    assert sentence in told
    assert "love" not in told

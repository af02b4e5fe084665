"""``wirewatch subscriptions`` and ``alerts`` over a data folder that nobody runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from deploy.cli import main


class Cli(Protocol):
    """Runs a command that ends with a status; what it says on standard output."""

    def __call__(self, *verb: str, status: int = 0) -> str: ...


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def call(*verb: str, status: int = 0) -> str:
        found = main(["--data", str(tmp_path / "data"), *verb])
        said = capsys.readouterr()
        assert found == status, said.err
        return said.out or said.err

    return call


def shown(cli: Cli, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cli("subscriptions", "show", name, "--json"))
    return found


def test_every_option_of_add_is_kept_and_each_can_be_ended(cli: Cli) -> None:
    cli(
        *("subscriptions", "add", "truce", "truce OR ceasefire"),
        *("--source", "BBC.co.uk", "--source", "dw.com", "--lang", "en"),
        *("--digest", "0 8 * * 1-5 @Europe/Berlin", "--quiet", "22:00-07:00@Europe/Berlin"),
        *("--throttle", "5/1h", "--story-updates", "--to", "stdout"),
    )
    found = shown(cli, "truce")
    assert found["query"] == (
        "(truce OR ceasefire) AND (source:bbc.co.uk OR source:dw.com) AND lang:en"
    )
    assert (found["mode"], found["digest"]) == ("digest", "0 8 * * 1-5 @Europe/Berlin")
    assert (found["quiet"], found["throttle"]) == ("22:00-07:00@Europe/Berlin", "5/1h")
    assert (found["story_updates"], found["every_article"]) == (True, False)
    off = ("--digest", "off", "--quiet", "off", "--throttle", "off", "--no-story-updates")
    cli("subscriptions", "edit", "truce", *off)
    found = shown(cli, "truce")
    assert found["mode"] == "instant"
    assert found["digest"] == found["quiet"] == found["throttle"] == ""
    assert found["story_updates"] is False


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--digest", "every morning"), "fields"),
        (("--quiet", "at night"), "quiet hours"),
        (("--throttle", "few"), "few"),
        (("--quiet", "22:00-07:00@Berlin"), "Berlin"),
    ],
)
def test_a_time_that_cannot_be_read_is_one_sentence(
    cli: Cli, option: tuple[str, str], said: str
) -> None:
    told = cli("subscriptions", "add", "truce", "truce", *option, status=2)
    assert said in told
    assert "Traceback" not in told
    assert "No subscriptions" in cli("subscriptions", "list")


def test_the_caret_stands_under_the_query_as_it_was_written(cli: Cli) -> None:
    told = cli("subscriptions", "add", "x", "truce AND (", "--lang", "en", status=2)
    assert told.splitlines()[1] == "  truce AND ("


def test_a_pause_ends_from_now_on_or_without_a_gap(cli: Cli) -> None:
    cli("subscriptions", "add", "truce", "truce")
    assert "paused" in cli("subscriptions", "pause", "truce")
    assert "counts from" in cli("subscriptions", "resume", "truce")
    assert shown(cli, "truce")["query_version"] == 2
    cli("subscriptions", "pause", "truce")
    cli("subscriptions", "resume", "truce", "--catch-up")
    assert shown(cli, "truce")["query_version"] == 2


def test_subscriptions_move_in_a_file_without_their_secrets(cli: Cli, tmp_path: Path) -> None:
    hook = "https://user:p4ssw0rd@hooks.example.org/in"
    cli("subscriptions", "add", "truce", "truce", "--to", hook, "--throttle", "5/1h")
    cli("subscriptions", "add", "ferry", "ferry OR port")
    assert "wrote" in cli("subscriptions", "export", "all.yaml")
    text = (tmp_path / "all.yaml").read_text("utf-8")
    assert "p4ssw0rd" not in text
    assert cli("subscriptions", "import", "all.yaml").strip() == "0 added, 0 changed, 2 unchanged"
    (tmp_path / "all.yaml").write_text(text.replace("5/1h", "9/1h"), "utf-8")
    cli("subscriptions", "remove", "ferry")
    assert cli("subscriptions", "import", "all.yaml").strip() == "1 added, 1 changed, 0 unchanged"
    assert shown(cli, "truce")["throttle"] == "9/1h"
    cli("subscriptions", "remove", "truce")
    told = cli("subscriptions", "import", "all.yaml", status=1)
    assert "truce" in told
    assert "left out" in told
    assert "nothing was changed" in told


def test_an_import_is_all_or_nothing_and_names_the_lines(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "subscriptions:\n"
        "- {name: good, query: truce, to: ['stdout:']}\n"
        "- {name: bad, query: '((', to: ['stdout:']}\n"
        "- {name: Good, query: truce, to: ['stdout:']}\n",
        "utf-8",
    )
    told = cli("subscriptions", "import", "s.yaml", status=1)
    assert "line 3: bad" in told
    assert "line 4: Good" in told
    assert "stands twice" in told
    assert "No subscriptions" in cli("subscriptions", "list")
    (tmp_path / "s.yaml").write_text("subscriptions:\n- {name: a, colour: red}\n", "utf-8")
    assert "unknown key colour" in cli("subscriptions", "import", "s.yaml", status=2)
    assert "cannot read" in cli("subscriptions", "import", "nope.yaml", status=2)


def test_an_empty_list_is_exported_and_read_again(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(cli("subscriptions", "export"), "utf-8")
    assert cli("subscriptions", "import", "s.yaml").strip() == "0 added, 0 changed, 0 unchanged"


def test_a_preview_and_a_backfill_say_what_they_do(cli: Cli) -> None:
    cli("subscriptions", "add", "truce", "truce")
    assert cli("subscriptions", "preview", "truce", "--days", "7").strip() == (
        "would have sent no alert in 7 days"
    )
    assert "matched with truce" in cli("subscriptions", "backfill", "truce", "--since", "24h")
    assert "in the past" in cli(
        "subscriptions", "backfill", "truce", "--since", "2999-01-01", status=2
    )


def test_failed_alerts_are_tried_again_by_id_or_by_time(cli: Cli) -> None:
    assert cli("alerts", "retry", "--failed", "--since", "24h").strip() == "no failed alert"
    assert "which alerts" in cli("alerts", "retry", status=2)
    assert "an id names one" in cli("alerts", "retry", "abc", "--failed", status=2)
    assert "there is no alert abc" in cli("alerts", "retry", "abc", status=2)

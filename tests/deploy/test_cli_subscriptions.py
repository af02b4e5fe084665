"""``wirewatch subscriptions`` and ``alerts`` over a data folder that nobody runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from deploy.cli import main
from deploy.folder import DataFolder
from ingest.sqlite_log import SqliteLog
from search.alert_state import Alert
from search.outcomes import alert_record
from tests.browser.newsstand import newsstand
from tests.payloads import digest, matched


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


def fail(data: Path, to: str, **more: Any) -> None:
    """A failed alert in the log, as the sender writes it."""
    log = SqliteLog(DataFolder(data).log)
    try:
        (subscription,) = (record.key for record in log.table("subscriptions").items())
        is_digest = "members" in more
        one = Alert(
            subscription=subscription,
            subscription_name="truce",
            article_id="a",
            story_id="a",
            title="A truce",
            type="digest" if is_digest else "article.matched",
            created=datetime.now(UTC),
            state="failed",
            pending=(to,),
            payload=json.dumps(digest() if is_digest else matched()),
            **more,
        )
        log.append([alert_record(one, shard=0)])
    finally:
        log.close()


def test_an_alert_that_fails_again_ends_with_status_1_and_says_why(
    cli: Cli, tmp_path: Path
) -> None:
    with newsstand() as stand:
        allowed = f"--set=net.allow={stand.host}"
        cli(allowed, "subscriptions", "add", "truce", "truce", "--to", stand.url("/hook"))
        fail(tmp_path / "data", stand.url("/hook"), alert_id="one")
        stand.statuses["/hook"] = 410
        told = cli(allowed, "alerts", "retry", "one", status=1)
        assert told.startswith("one is failed: ")
        assert "410" in told
        found = json.loads(cli(allowed, "alerts", "retry", "one", "--json", status=1))
        assert (found["alert_id"], found["state"], "410" in found["error"]) == (
            "one", "failed", True,
        )  # fmt: skip
        stand.statuses["/hook"] = 503  # it will be tried again, but this attempt failed
        assert "503" in cli(allowed, "alerts", "retry", "one", status=1)
        stand.statuses["/hook"] = 204
        assert cli(allowed, "alerts", "retry", "one").strip() == "one is sent"


def test_what_a_command_logs_is_not_on_standard_output(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with newsstand() as stand:
        hook, allowed = stand.url("/hook"), f"net.allow={stand.host}"
        cli("--set", allowed, "subscriptions", "add", "truce", "truce", "--to", hook)
        fail(tmp_path / "data", hook, alert_id="one")
        stand.statuses["/hook"] = 410
        given = ("--set", allowed, "alerts", "retry", "one", "--json")
        assert main(["--data", str(tmp_path / "data"), *given]) == 1
        said = capsys.readouterr()
        assert [json.loads(line)["alert_id"] for line in said.out.splitlines()] == ["one"]
        assert "receiver disabled" in said.err


def test_a_retry_of_what_a_digest_brings_ends_as_the_digest_does(cli: Cli, tmp_path: Path) -> None:
    with newsstand() as stand:
        allowed = f"--set=net.allow={stand.host}"
        cli(allowed, "subscriptions", "add", "truce", "truce", "--to", stand.url("/hook"))
        fail(tmp_path / "data", stand.url("/hook"), alert_id="one", digest="many")
        fail(tmp_path / "data", stand.url("/hook"), alert_id="many", members=("one",))
        stand.statuses["/hook"] = 410
        assert "410" in cli(allowed, "alerts", "retry", "one", status=1)
        stand.statuses["/hook"] = 204
        assert cli(allowed, "alerts", "retry", "one").strip() == "one is sent"


def test_failed_alerts_are_tried_again_by_id_or_by_time(cli: Cli) -> None:
    assert cli("alerts", "retry", "--failed", "--since", "24h").strip() == "no failed alert"
    assert "which alerts" in cli("alerts", "retry", status=2)
    assert "an id names one" in cli("alerts", "retry", "abc", "--failed", status=2)
    assert "there is no alert abc" in cli("alerts", "retry", "abc", status=2)

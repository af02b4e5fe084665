"""Commands where nobody runs: each opens the data folder for itself, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hour import rows, said
from tests.running import COMMAND, ROOT, Place

FEEDS = 50_000


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(folder=tmp_path)


def test_the_starter_list_is_added_exported_and_taken_away_again(place: Place) -> None:
    (added,) = rows(place, "feeds", "add", "starter")
    assert added["added"] >= 40
    assert (added["skipped"], added["refused"]) == (0, [])
    listed = rows(place, "feeds", "list")
    assert len(listed) == added["added"]
    assert {row["sentence"] for row in listed} == {"Not polled yet."}
    file = place.folder / "mine.opml"
    said(place, "feeds", "export", str(file))
    elsewhere = Place(folder=place.folder, data_name="elsewhere")
    (again,) = rows(elsewhere, "feeds", "add", str(file))
    assert again["added"] == added["added"]
    said(place, "feeds", "remove", listed[0]["feed_id"])
    assert len(rows(place, "feeds", "list")) == added["added"] - 1


def test_a_list_that_adds_nothing_has_failed_and_says_why(place: Place) -> None:
    bad, empty = place.folder / "bad.txt", place.folder / "empty.txt"
    bad.write_text("ftp://a.example/feed\n")
    empty.write_text("# none yet\n")
    for file, says in ((bad, "every line was refused"), (empty, "lists no feed")):
        done = place.call("feeds", "add", str(file), check=False)
        assert (done.returncode, says in done.stdout) == (1, True)
        assert "0 added" not in done.stdout
        assert place.call("feeds", "add", str(file), "--json", check=False).returncode == 1
    bad.write_text("ftp://a.example/feed\nhttps://a.example/feed\n")
    for says in ("1 added, 0 already there", "0 added, 1 already there"):
        assert says in said(place, "feeds", "add", str(bad))


def test_a_feed_given_as_a_list_is_named_once(place: Place) -> None:
    (place.folder / "feed.xml").write_text('<rss version="2.0"><channel/></rss>\n')
    done = place.call("feeds", "add", str(place.folder / "feed.xml"), check=False)
    assert done.returncode == 2
    assert done.stderr.count("feed.xml") == 1
    assert "line 1" in done.stderr


def test_a_list_of_fifty_thousand_feeds_is_added_at_once(place: Place) -> None:
    file = place.folder / "many.txt"
    file.write_text("".join(f"https://site{n}.example/feed.xml\n" for n in range(FEEDS)))
    (added,) = rows(place, "feeds", "add", str(file))
    assert added["added"] == FEEDS


def test_commands_at_the_same_time_wait_for_each_other(place: Place) -> None:
    said(place, "feeds", "list")
    commands = [
        subprocess.Popen(
            [
                sys.executable,
                *COMMAND,
                *place.arguments("subscriptions", "add", f"name {number}", "ferry"),
            ],
            cwd=ROOT,
            env=place.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(3)
    ]
    for command in commands:
        _, errors = command.communicate(timeout=60)
        assert command.returncode == 0, errors
    assert len(rows(place, "subscriptions", "list")) == 3


def test_settings_are_shown_with_their_origin_and_a_first_file_is_written(place: Place) -> None:
    found = {row["name"]: row for row in rows(place, "config", "show")}
    assert found["data.folder"]["origin"] == "command line"
    assert found["parse.seconds"] == {
        "name": "parse.seconds",
        "value": 5.0,
        "origin": "default",
        "limit": found["parse.seconds"]["limit"],
        "sentence": found["parse.seconds"]["sentence"],
    }
    file = place.folder / "wirewatch.toml"
    said(place, "config", "init", str(file))
    file.write_text(file.read_text().replace("# seconds = 5.0", "seconds = 4.0"))
    changed = {row["name"]: row for row in rows(place, "--config", str(file), "config", "show")}
    assert changed["parse.seconds"]["value"] == 4.0
    assert changed["parse.seconds"]["origin"] == str(file)
    assert place.call("config", "init", str(file), check=False).returncode == 2


def test_a_test_alert_needs_nobody_running(place: Place) -> None:
    out = place.folder / "alerts.jsonl"
    said(place, "subscriptions", "add", "ferry", "ferry", f"--to=file:{out}")
    assert rows(place, "subscriptions", "test", "ferry")[0]["error"] == ""
    assert out.read_text().count("\n") == 1


def test_what_only_a_running_process_can_do_is_said(place: Place) -> None:
    done = place.call("alerts", "watch", check=False)
    assert done.returncode == 1
    assert "Nothing runs on this data folder" in done.stderr


def test_help_and_version_are_there_for_every_command(place: Place) -> None:
    assert said(place, "--version").startswith("wirewatch ")
    help_text = said(place, "--help")
    for verb in ("run", "feeds", "search", "article", "topics", "query", "subscriptions", "alerts"):
        assert f" {verb} " in help_text

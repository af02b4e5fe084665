"""What commands say to a person, from what the API answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import main
from deploy.cli.alerts import print_alerts
from deploy.cli.output import print_error
from deploy.cli.search import print_article, print_end
from deploy.cli.subscribing import absolute
from deploy.cli.subscription_words import print_subscription
from deploy.cli.times import when
from ingest.errors import QueryError, UsageError
from processors.query import parse
from search.alert_state import Alert, Attempt, State
from search.views import alert_row
from tests.conftest import ROOT

AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SUBSCRIPTION: dict[str, Any] = {
    "id": "abc",
    "owner": "local",
    "name": "truce",
    "query": "topic:ceasefire-talks",
    "version": 3,
    "query_version": 2,
    "to": ["stdout:", "file:/a/b"],
    "mode": "instant",
    "digest": "",
    "quiet": "",
    "throttle": "",
    "every_article": False,
    "story_updates": False,
    "paused": False,
    "shard": 7,
    "created": "2026-11-01T12:00:00.000Z",
    "schema": 1,
    "since": None,
    "active": None,
}
ARTICLE: dict[str, Any] = {
    "title": "Truce talks",
    "text": "They talked.",
    "url": "https://example.org/a",
    "source": "example.org",
    "published": "2026-11-01T12:00:00.000Z",
    "published_claimed": "",
    "date_source": "feed",
    "seen": "2026-11-01T12:00:00.000Z",
    "feeds": ["feed-a"],
    "story_id": "story-a",
    "story_size": 1,
    "copy_of": None,
    "notes": [],
    "topic_tags": [],
    "revision": 1,
    "revisions": [],
    "journey": [
        {"stage": "fetched", "at": "2026-11-01T12:00:00.000Z", "sentence": "from feed feed-a"},
        {"stage": "indexed", "at": None, "sentence": "searchable"},
    ],
}


def an_alert(state: State, *, pending: tuple[str, ...], acknowledged: tuple[str, ...]) -> Any:
    return alert_row(
        Alert(
            alert_id="alert-a",
            subscription="abc",
            subscription_name="truce",
            article_id="a",
            story_id="a",
            title="Truce talks",
            created=AT,
            state=state,
            attempts=(Attempt(at=AT, to="https://x.example/", error="No such host"),),
            pending=pending,
            acknowledged=acknowledged,
        )
    )


def test_the_last_error_stands_only_where_the_alert_is_not_delivered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = "https://x.example/"
    for state in ("waiting", "failed"):
        print_alerts([an_alert(state, pending=(target,), acknowledged=())])
        assert "No such host" in capsys.readouterr().out
    print_alerts([an_alert("sent", pending=(), acknowledged=(target,))])
    said = capsys.readouterr().out
    assert "No such host" not in said
    assert target in said


def test_one_article_is_one_and_a_step_without_a_time_has_no_dash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_article(ARTICLE)
    said = capsys.readouterr().out
    assert "story-a (1 article)\n" in said
    assert "\nindexed    searchable\n" in said
    assert f"\nfetched    {when('2026-11-01T12:00:00Z')}  from feed feed-a\n" in said
    print_article({**ARTICLE, "story_size": 10})
    assert "story-a (10 articles)\n" in capsys.readouterr().out


def test_a_grouped_search_says_what_it_counts(capsys: pytest.CaptureFixture[str]) -> None:
    end = {"total": {"value": 14, "relation": "eq"}, "took_ms": 3.0, "after": ""}
    print_end(end, group=False)
    print_end(end, group=True)
    assert capsys.readouterr().out.splitlines() == [
        "14 found in 3 ms",
        "14 articles found in 3 ms, one shown for each story",
    ]


@pytest.mark.parametrize(
    ("changes", "state", "alerts"),
    [
        ({}, "counts from the next article on", "once a story"),
        (
            {"active": "2026-11-01T12:00:01.000Z", "since": 5, "every_article": True},
            f"active from {when('2026-11-01T12:00:01Z')}",
            "every article",
        ),
        ({"paused": True, "active": "2026-11-01T12:00:01.000Z"}, "paused", "once a story"),
    ],
)
def test_a_subscription_is_shown_in_the_words_of_a_person(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any], state: str, alerts: str
) -> None:
    print_subscription({**SUBSCRIPTION, **changes})
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["name", "truce"],
        ["id", "abc"],
        ["query", "topic:ceasefire-talks"],
        ["to", "stdout:, file:/a/b"],
        ["state", state],
        ["alerts", alerts],
        ["created", when("2026-11-01T12:00:00Z")],
    ]


def test_a_target_without_its_colon_or_path_is_not_taken_for_another(tmp_path: Path) -> None:
    assert absolute(["stdout", "stdout:"]) == ["stdout:", "stdout:"]
    assert absolute([f"file:{tmp_path}/a.jsonl"]) == [f"file:{tmp_path}/a.jsonl"]
    for wrong in ("file:", "file: ", "file", f"file:{tmp_path}"):
        with pytest.raises(UsageError) as caught:
            absolute([wrong])
        assert "file:alerts.jsonl" in caught.value.hint


def test_an_edit_that_changes_nothing_names_the_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), "subscriptions", "edit", "truce"]) == 2
    said = capsys.readouterr().err
    for option in ("--query", "--rename", "--to", "--every-article", "--resume"):
        assert option in said


def test_a_topic_file_that_is_not_there_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "nope.yaml"
    assert main(["topics", "check", str(missing)]) == 2
    said, hint = capsys.readouterr().err.splitlines()
    assert said == f"wirewatch: there is no file or folder {missing}"
    assert hint.strip()


def test_a_topic_file_that_is_no_text_leaves_no_empty_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"label: caf\xe9\n")
    assert main(["topics", "check", str(file)]) == 1
    assert all(line.strip() for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("verb", [("search",), ("query", "check"), ("subscriptions", "add", "x")])
def test_a_query_that_looks_like_an_option_is_told_how_to_pass(
    verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb, "-ferry truce"]) == 2
    assert "put -- before" in capsys.readouterr().err


def test_an_unknown_option_beside_no_query_speaks_of_no_query(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["topics", "list", "-x"]) == 2
    assert "put -- before" not in capsys.readouterr().err


def test_the_fault_that_the_page_of_queries_shows_is_what_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = (ROOT / "docs" / "queries.md").read_text("utf-8")
    found = re.search(r"^    \$ wirewatch query check '(.+)'\n((?:    .+\n)+)", page, re.MULTILINE)
    assert found is not None
    with pytest.raises(QueryError) as caught:
        parse(found[1])
    caught.value.query = found[1]
    print_error(caught.value)
    shown = "".join(f"    {line}\n" for line in capsys.readouterr().err.splitlines())
    assert shown == found[2]


def test_no_hint_writes_a_setting_that_is_not_toml() -> None:
    for stage in ("ingest", "processors", "search", "deploy"):
        for module in (ROOT / stage).rglob("*.py"):
            assert "[net] allow =" not in module.read_text("utf-8"), module.name
    for page in (ROOT / "docs").glob("*.md"):
        assert "[net] allow =" not in page.read_text("utf-8"), page.name

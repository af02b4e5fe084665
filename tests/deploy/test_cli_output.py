"""What commands print: for programs, for people, and nothing that acts on a terminal (F50)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import structlog

from deploy.cli.output import print_error, print_facts, print_json, print_line, print_table
from deploy.events import log_to_stderr
from ingest.errors import FileError, QueryError, UsageError

HOSTILE = "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202e \r\n[info] forged line"


def test_nothing_from_a_feed_acts_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_line(HOSTILE)
    print_table(("title",), [(HOSTILE,)], empty="")
    print_facts({"title": HOSTILE, "many": [HOSTILE]})
    print_error(UsageError(HOSTILE, hint=HOSTILE))
    said = "".join(capsys.readouterr())
    assert not set(said) & set("\x1b\x07\x9b\r\u202e")
    assert "\\x1b" in said
    assert not [line for line in said.splitlines() if line.startswith("[info]")]


def test_json_is_one_object_a_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"title": HOSTILE}, {"title": "Grüße"}]
    print_json(rows)
    said = capsys.readouterr().out
    assert "Grüße" in said
    assert [json.loads(line) for line in said.rstrip("\n").split("\n")] == rows


def test_a_table_in_a_pipe_folds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "why"), [("x" * 22, "word " * 100)], empty="")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id",), [], empty="Nothing yet.")
    assert capsys.readouterr().out == "Nothing yet.\n"


def test_the_caret_stands_under_the_fault(capsys: pytest.CaptureFixture[str]) -> None:
    error = QueryError("never closed", hint="Add a )", caret=10)
    error.query = "truce AND (ferry"
    print_error(error)
    assert capsys.readouterr().err.splitlines() == [
        "wirewatch: never closed",
        "  truce AND (ferry",
        "            ^",
        "  Add a )",
    ]


def test_the_caret_of_a_long_query_keeps_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    error = QueryError("never closed", caret=200)
    error.query = "a" * 200 + "(" + "b" * 100
    print_error(error)
    shown, caret = capsys.readouterr().err.splitlines()[1:3]
    assert shown[caret.index("^")] == "("
    assert len(shown) < 100


def test_a_program_gets_an_object_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(FileError("no", hint="Do.", place="a:3"), as_json=True)
    assert json.loads(capsys.readouterr().err) == {
        "error": "no",
        "code": "file",
        "hint": "Do.",
        "place": "a:3",
    }


def test_nothing_from_a_feed_forges_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr()
    try:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        structlog.get_logger().warning("feed refused", reason=HOSTILE, next_try=at, title="")
    finally:
        structlog.reset_defaults()
    (line,) = capsys.readouterr().err.splitlines()
    assert not set(line) & set("\x1b\x07\x9b\r\u202e")
    assert "next_try=2026-03-01T00:00:00.000Z" in line
    assert "title" not in line

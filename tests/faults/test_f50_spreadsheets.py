"""F50: what a publisher wrote is no formula in anybody's spreadsheet, and breaks no line."""

from __future__ import annotations

import csv
import io

import pytest

from search.export import COLUMNS, as_lines, cell, head


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example","click")',
        "+1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
    ],
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell([text, "b"]).startswith("'")


def test_rows_are_read_back_whatever_stands_in_them() -> None:
    words = ['a "quoted", word', "line\r\nbreak", "=1+1", "nul\x00", "ü 漢", "\x1b]0;x\x07", ""]
    rows = [dict.fromkeys(COLUMNS, text) for text in words]
    text = head("csv") + as_lines(rows, "csv")
    found = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [tuple(one) for one in found] == [COLUMNS] * len(words)
    assert [one["title"].removeprefix("'") for one in found] == [
        text.replace("\x00", "") for text in words
    ]
    assert found[2]["title"] == "'=1+1"

"""What commands print: JSON lines for programs, tables for people, sentences for faults."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ingest.clean import printable
from ingest.errors import QueryError, WirewatchError

UNFOLDED = 100_000
"""Columns of a table that is read by a program."""


def print_json(rows: Iterable[Any]) -> None:
    """One JSON object a line on standard output."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def print_line(text: str) -> None:
    """One line for a person; nothing from a feed can act on the terminal (promise P6)."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table, or the sentence ``empty`` where there are no rows."""
    found = list(rows)
    if not found:
        print_line(empty)
        return
    # Imported here: rich costs 60 ms that JSON lines and sentences need not pay.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0, overflow="ignore" if number == 0 else "fold")
    for row in found:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    # In a file or pipe nothing is folded: one row, one line.
    Console(width=None if sys.stdout.isatty() else UNFOLDED).print(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """Names and values below each other."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        print_line(f"{name:<{width}}  {shown}")


def print_error(error: WirewatchError, *, as_json: bool = False) -> None:
    """The sentence, the place (with a caret under the query) and what to do, on standard error."""
    if as_json:
        sys.stderr.write(json.dumps(error.as_json(), ensure_ascii=False) + "\n")
        return
    place = f"{error.place}: " if error.place and error.place not in error.sentence else ""
    sys.stderr.write(f"wirewatch: {printable(place + error.sentence)}\n")
    if isinstance(error, QueryError) and error.caret is not None and error.query:
        sys.stderr.write(_caret_lines(error.query, error.caret))
    for line in error.hint.splitlines():
        sys.stderr.write(f"  {printable(line)}\n")


def _caret_lines(query: str, caret: int) -> str:
    start = max(0, caret - 60)
    shown = printable(query[start : caret + 20].replace("\n", " "))
    return f"  {shown}\n  {' ' * len(printable(query[start:caret]))}^\n"

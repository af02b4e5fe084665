from __future__ import annotations

import pytest

from ingest.clean import printable


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x1b[2J\x1b[H", r"\x1b[2J\x1b[H"),
        ("\x9b31m", r"\x9b31m"),
        ("real\nERROR forged line", r"real\nERROR forged line"),
        ("real\r12:00 forged", r"real\r12:00 forged"),
        ("a\u2028b\u0085c", r"a\u2028b\x85c"),
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("x\x08\x08\x7f", r"x\x08\x08\x7f"),
    ],
)
def test_f50_escapes_and_forged_lines_are_shown_not_performed(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown

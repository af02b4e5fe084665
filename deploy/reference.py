"""The reference pages, made from the code: docs/commands.md and docs/settings.md.

``python -m deploy.reference docs`` writes them; a test proves that they are up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from deploy.cli import app
from deploy.settings_pages import reference

COMMANDS = """# Commands

Every command that reads has `--json` (one JSON object a line on standard output); logs go to
standard error. Exit status: 0 done, 1 the work failed, 2 wrong use. Global options stand before
the command.

"""
SETTINGS = """# Settings

A TOML file (`wirewatch.toml` here, then in the user's configuration folder; or `--config FILE`),
then the environment (`WIREWATCH_SECTION__NAME`), then `--set section.name=value`; later ones win.
`wirewatch config show` says where each value comes from, `wirewatch config init` writes a first
file.

"""


def pages() -> dict[str, str]:
    """The text of each page by file name."""
    return {
        "commands.md": COMMANDS + "\n".join(_commands()),
        "settings.md": SETTINGS + reference(),
    }


def _commands() -> Iterator[str]:
    root = typer.main.get_command(app)
    yield from _described("wirewatch", root)
    for path, command in _walk("wirewatch", root):
        yield from _described(path, command)


def _walk(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _walk(f"{path} {name}", command)
        else:
            yield f"{path} {name}", command


def _described(path: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    shown = " ".join(_metavar(one) for one in arguments)
    yield f"## `{path}{' ' + shown if shown else ''}`\n"
    yield f"{(command.help or '').strip()}\n"
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    if options:
        yield "| option | |\n|---|---|"
        for one in options:
            names = ", ".join([*one.opts, *one.secondary_opts])
            yield f"| `{names}` | {one.help or ''} |"
        yield ""


def _metavar(argument: Any) -> str:
    name = argument.metavar or str(argument.name).upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def main() -> None:
    """Write the pages into the folder named on the command line."""
    for name, text in pages().items():
        (Path(sys.argv[1]) / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()

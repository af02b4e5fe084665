"""``config``: effective settings and where each comes from; a first file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.context import CONFIG_NAME, context_of
from deploy.cli.output import print_json, print_line, print_table
from ingest.errors import UsageError

if TYPE_CHECKING:
    from deploy.settings import Loaded

app = typer.Typer(help="Settings: show, init.")


@app.command("show")
def show(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show every setting, its value and where the value comes from."""
    from deploy.settings import all_settings

    loaded = context_of(ctx).loaded()
    rows = [
        {
            "name": setting.name,
            "value": value_of(loaded, setting.name),
            "origin": loaded.origins.get(setting.name, "default"),
            "limit": setting.limit,
            "sentence": setting.sentence,
        }
        for setting in all_settings()
    ]
    if json:
        print_json(rows)
        return
    print_table(
        ("setting", "value", "from", "what it is"),
        [(r["name"], r["value"], r["origin"], r["sentence"]) for r in rows],
        empty="",
    )


@app.command("init")
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path(CONFIG_NAME),
) -> None:
    """Write a first settings file: every setting, commented out, with its sentence."""
    from deploy.settings_pages import first_file

    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(first_file())
    except FileExistsError:
        raise UsageError(f"{file} is there already", hint="Name another file.") from None
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
    print_line(f"wrote {file}")


def value_of(loaded: Loaded, name: str) -> Any:
    """The effective value of a dotted name."""
    found: Any = loaded.settings
    for part in name.split("."):
        found = getattr(found, part)
    return list(found) if isinstance(found, tuple) else found

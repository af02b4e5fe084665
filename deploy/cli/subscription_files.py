"""``subscriptions export`` and ``import``: a file of YAML."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.client import call
from deploy.cli.context import context_of
from deploy.cli.output import print_json, print_line
from ingest.errors import FileError

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def register(app: typer.Typer) -> None:
    """Add ``export`` and ``import``."""
    app.command("export")(export)
    app.command("import")(import_file)


def export(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Default standard output.")] = None,
) -> None:
    """Write every subscription as YAML; secrets are left out."""
    text = call(context_of(ctx), "GET", "/local/subscriptions/export")["text"]
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise FileError(f"cannot write {file}: {error.strerror}", place=str(file)) from error
    print_line(f"wrote {file}")


def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="As export writes it; - is standard input.")],
    json: JsonFlag = False,
) -> None:
    """Add or change subscriptions by name: all of the file, or nothing."""
    body = {"text": _text(file), "name": str(file)}
    found = call(context_of(ctx), "POST", "/api/subscriptions.yaml", body=body)
    if json:
        print_json([found])
    else:
        for row in found["refused"]:
            print_line(f"refused, line {row['line']}: {row['name']}: {row['error']} {row['hint']}")
        if found["refused"]:
            print_line("nothing was changed")
        else:
            counts = (f"{len(found[key])} {key}" for key in ("added", "changed", "unchanged"))
            print_line(", ".join(counts))
    if found["refused"]:
        raise typer.Exit(1)


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise FileError(f"cannot read {file}: {error.strerror}", place=str(file)) from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"{file} is not UTF-8 text", hint="Save it as UTF-8.", place=str(file)
        ) from error

"""The command ``wirewatch``: one verb per task."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from deploy.cli import (
    accounts,
    alerts,
    backup,
    channels,
    cluster,
    configuration,
    erasing,
    export,
    feeds,
    filters,
    kibana,
    quarantine,
    queries,
    run,
    search,
    stages,
    subscriptions,
    topics,
    upkeep,
)
from deploy.cli.context import Context
from deploy.cli.output import print_error
from ingest.errors import UsageError, WirewatchError

app = typer.Typer(
    name="wirewatch",
    help="Watch news feeds; be told within a second when something you care about is published.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"wirewatch {version('wirewatch')}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="Settings file (TOML); default wirewatch.toml here, then the user's."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder; default the user's data folder.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.NAME=VALUE", help="One setting; repeatable."),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it, exit."),
    ] = False,
) -> None:
    """Watch news feeds; be told within a second when something you care about is published."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)
    ctx.obj = Context(config=config, data=data, overrides=tuple(overrides or ()))


run.register(app)
search.register(app)
export.register(app)
upkeep.register(app)
backup.register(app)
erasing.register(app)
filters.register(app)
stages.register(app)
cluster.register(app)
app.add_typer(feeds.app, name="feeds")
app.add_typer(topics.app, name="topics")
app.add_typer(queries.app, name="query")
app.add_typer(subscriptions.app, name="subscriptions")
app.add_typer(channels.app, name="channels")
app.add_typer(alerts.app, name="alerts")
app.add_typer(accounts.app, name="accounts")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(configuration.app, name="config")
app.add_typer(kibana.app, name="kibana")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 1 the work failed, 2 wrong use."""
    given = sys.argv[1:] if arguments is None else arguments
    if sys.platform == "win32":
        sys.stderr.write("wirewatch: Windows is not supported; run it inside WSL.\n")
        return 1
    as_json = "--json" in given
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an old terminal ends no command
    try:
        return _run(given)
    except WirewatchError as error:
        print_error(error, as_json=as_json)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        # The reader of our output went away (``| head``): nothing more to say to it, and nothing
        # more to be flushed at exit (docs.python.org, note on SIGPIPE).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        sentence = f"{name}{error.strerror or error}"
        print_error(WirewatchError(sentence, code="system"), as_json=as_json)
        return 1


def _run(given: list[str]) -> int:
    for argument in given:
        if not argument.isascii() and argument.encode(errors="replace") != argument.encode(
            errors="surrogateescape"
        ):
            raise UsageError(
                f"the argument {argument!a} is not text in UTF-8",
                hint="Check the locale of the terminal.",
            )
    try:
        return int(app(given, standalone_mode=False) or 0)
    except typer.Abort:
        return 130
    except TyperException as error:
        place = getattr(error, "ctx", None)
        command = place.command_path if place else "wirewatch"
        hint = f"See: {command} --help"
        if getattr(error, "option_name", None) and place and _takes_a_query(place.command):
            hint += ". If it begins your query, put -- before the query."
        raise UsageError(error.format_message(), hint=hint) from error


def _takes_a_query(command: typer.core.TyperCommand) -> bool:
    return any(one.name == "query" and one.param_type_name == "argument" for one in command.params)

"""``kibana``: the dashboards, as a file or into a running Kibana."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.context import context_of
from deploy.cli.output import print_json, print_line

if TYPE_CHECKING:
    from deploy.kibana.settings import KibanaSettings

app = typer.Typer(help="Kibana's dashboards: export, install.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("export")
def export(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="The file to write; default standard output.")
    ] = None,
) -> None:
    """Write the dashboards as NDJSON, for Kibana 8.9 and later to import."""
    from deploy.kibana.dashboards import exported

    text = exported(prefix=context_of(ctx).settings().index.prefix)
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")


@app.command("install")
def install(
    ctx: typer.Context,
    kibana: Annotated[str, typer.Option("--kibana", metavar="URL", help="Its address.")] = "",
    api_key_file: Annotated[
        str, typer.Option("--api-key-file", metavar="FILE", help="Holds an encoded API key.")
    ] = "",
    user: Annotated[str, typer.Option("--user", help="The login's name.")] = "",
    password_file: Annotated[
        str, typer.Option("--password-file", metavar="FILE", help="Holds its password.")
    ] = "",
    wait: Annotated[
        float | None, typer.Option("--wait", min=0, metavar="SECONDS", help="For it to be ready.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Put the dashboards into Kibana; again after an upgrade of Wirewatch, to replace them."""
    from deploy.kibana.dashboards import DASHBOARDS, exported
    from deploy.kibana.saved_objects import dashboard_id
    from deploy.kibana.server import Kibana

    settings = context_of(ctx).settings()
    prefix = settings.index.prefix
    given = {
        "url": kibana or settings.kibana.url or "http://127.0.0.1:5601",
        "api_key_file": api_key_file,
        "user": user,
        "password_file": password_file,
        "wait_seconds": wait,
    }
    server = Kibana(_with(settings.kibana, given))
    version = server.wait(tell=lambda sentence: typer.echo(sentence, err=True))
    installed = server.install(exported(prefix=prefix))
    pages = {
        one.title: f"{server.url}/app/dashboards#/view/{dashboard_id(one, prefix=prefix)}"
        for one in DASHBOARDS
    }
    if json:
        rows = [{"title": title, "url": url} for title, url in pages.items()]
        found = {"kibana": server.url, "version": version, "objects": installed}
        print_json([{**found, "dashboards": rows}])
        return
    print_line(f"{len(pages)} dashboards are in Kibana {version}".rstrip() + ":")
    for title, url in pages.items():
        print_line(f"  {title:<22}  {url}")


def _with(settings: KibanaSettings, given: dict[str, str | float | None]) -> KibanaSettings:
    """``settings``, where what was given on the command line wins."""
    if given["user"]:
        settings = replace(settings, api_key_file="")  # a login was asked for
    chosen = {name: value for name, value in given.items() if value not in ("", None)}
    return replace(settings, **chosen)  # type: ignore[arg-type] # the names are its fields'

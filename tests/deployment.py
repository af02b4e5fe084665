"""What a deployment file may name: our commands, our settings, the version of our image."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx
import typer

from deploy.cli import app
from deploy.settings import ENVIRONMENT_PREFIX, all_settings
from tests.conftest import ROOT
from tests.running import LOOK_SECONDS, START_SECONDS, Running

DEPLOY = ROOT / "deploy"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
IMAGE = f"wirewatch:{VERSION}"
STAGES = ("poll", "tag", "group", "index", "alert")
METRICS_PORT = 9464


def unknown_settings(variables: Iterable[str]) -> list[str]:
    """Those of ``variables`` that are ours by their prefix and name no setting."""
    known = {one.name for one in all_settings()}
    ours = [name for name in variables if name.startswith(ENVIRONMENT_PREFIX)]
    names = {one: one.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".") for one in ours}
    return [variable for variable, name in names.items() if name not in known]


def assert_parses(words: Sequence[str]) -> None:
    """Fail unless ``wirewatch`` takes ``words``: the command, its options and arguments."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("wirewatch", ["--data", "/nowhere", words[0]])
    rest = list(words)
    while rest and hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_context(words[0], rest, parent=context)


def is_pinned(image: str) -> bool:
    """Whether ``image`` names a full version (1.2.3) or a digest."""
    return bool(re.search(r"(:v?\d+\.\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})$", image))


async def answering(running: Running, health: str, *, seconds: float = START_SECONDS) -> None:
    """Wait until ``running`` says at ``health`` that it works; fail where it ends."""
    async with asyncio.timeout(seconds), httpx.AsyncClient() as client:
        while True:
            assert running.process.poll() is None, running.said()
            with contextlib.suppress(httpx.TransportError):  # not yet
                if (await client.get(health)).is_success:
                    return
            await asyncio.sleep(LOOK_SECONDS)


def assert_ended(statuses: Mapping[str, int]) -> None:
    """Fail unless each process, by its stage, ended in good order after SIGTERM."""
    # Faust takes signals over a little after the health page answers: until then SIGTERM ends the
    # tagger as kill would, which it may at any moment.
    allowed = {"tag": {0, -signal.SIGTERM}}
    assert all(status in allowed.get(name, {0}) for name, status in statuses.items()), statuses

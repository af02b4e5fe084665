"""``wirewatch cluster --demo``: every stage a process of its own, fed by the sample newsroom."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from deploy.cli.context import Context
from deploy.cluster import SETTINGS, Cluster
from deploy.distributed import Distributed
from deploy.newsroom import Newsroom, load_outlets
from deploy.sample_tour import Tour, sample_overrides, sample_subscriptions
from deploy.servers.ports import free_port
from deploy.setup import set_up
from deploy.signals import stop_on_signals
from ingest.errors import WirewatchError
from search.sealed_secrets import KEY_BYTES

STAGES = ("poll", "tag", "tag", "group", "index", "alert")
"""Two taggers, to show that one more is all it takes."""

LOOK_SECONDS = 0.5
STOP_SECONDS = 15.0
"""A stage promises to end within ten."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A stage that was started, and where it writes what it has to say."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path


async def demonstrate(cluster: Cluster, context: Context, folder: Path, *, as_json: bool) -> None:
    """Run every stage on ``cluster`` until SIGTERM or SIGINT; ``folder`` is the demo's own.

    Raises:
        WirewatchError: a stage ended by itself; says where to read why.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    newsroom = Newsroom(load_outlets(), start=datetime.now(UTC))
    await newsroom.open()
    try:
        overrides = [*sample_overrides(context, newsroom), *_overrides(cluster, folder)]
        chosen = context.with_overrides(*overrides)
        settings = chosen.settings()
        for done in await asyncio.to_thread(lambda: [*set_up(settings)]):
            logger.info("set up", part=done.part, what=done.sentence)
        options = ("--config", str(_settings_file(cluster, folder)))
        async with Distributed.opened(settings, chosen.folder(settings)) as shell:
            await asyncio.to_thread(sample_subscriptions, shell, newsroom)
            arguments = _arguments(chosen, as_json=as_json)
            with _running(arguments, folder / "logs") as processes, _first_failure():
                async with asyncio.TaskGroup() as tasks:
                    tour = tasks.create_task(Tour(shell, options=options, json=as_json).follow())
                    await _watched(processes, stop)
                    tour.cancel()
    finally:
        await newsroom.close()


@contextmanager
def _first_failure() -> Iterator[None]:
    """The first of several failures as it is."""
    try:
        yield
    except* WirewatchError as failures:
        raise failures.exceptions[0] from None


def _overrides(cluster: Cluster, folder: Path) -> list[str]:
    return [
        f"data.folder={folder}",
        f"data.secret_key_file={_key(folder / 'secret.key')}",
        "log.backend=kafka",
        f"log.bootstrap={cluster.kafka.address}",
        "index.backend=elasticsearch",
        f"index.url={cluster.elasticsearch.url}",
        f"api.port={free_port()}",
    ]


def _settings_file(cluster: Cluster, folder: Path) -> Path:
    """Settings by which other commands find the demo."""
    file = folder / "wirewatch.toml"
    found = SETTINGS.format(kafka=cluster.kafka.address, elasticsearch=cluster.elasticsearch.url)
    file.write_text(f'[data]\nfolder = "{folder}"\n\n{found}', encoding="utf-8")
    return file


def _key(file: Path) -> Path:
    """The key that seals secrets, made where there is none."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(base64.b64encode(secrets.token_bytes(KEY_BYTES)))
    return file


def _arguments(context: Context, *, as_json: bool) -> dict[str, list[str]]:
    """The command of each process, by its name."""
    given = [] if context.config is None else ["--config", str(context.config.absolute())]
    for override in context.overrides:
        given += ["--set", override]
    found = {}
    for number, stage in enumerate(STAGES):
        name = stage if STAGES.index(stage) == number else f"{stage}-{number}"
        json = ["--json"] if as_json else []
        found[name] = [*given, "--set", f"log.member=demo-{name}", "stage", stage, *json]
    found["serve"] = [*given, "serve"]
    return found


@contextmanager
def _running(arguments: Mapping[str, Sequence[str]], logs: Path) -> Iterator[list[Process]]:
    """The processes for the length of the block; they end in good order after it."""
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    found: list[Process] = []
    try:
        for name, given in arguments.items():
            log = logs / f"{name}.log"
            with log.open("ab") as errors:
                popen = subprocess.Popen(  # noqa: S603  our own command
                    [sys.executable, "-m", "deploy.demo_child", *given],
                    stdin=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,  # Ctrl-C is ours to pass on
                )
            found.append(Process(name=name, popen=popen, log=log))
            logger.info("started", stage=name, pid=popen.pid, log=str(log))
        yield found
    finally:
        for one in found:
            one.popen.terminate()
        for one in found:
            _ended(one)


def _ended(process: Process) -> None:
    try:
        process.popen.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        logger.warning("stage did not stop", stage=process.name, seconds=STOP_SECONDS)
        process.popen.kill()
        process.popen.wait()
    finally:
        if process.popen.stdin is not None:
            process.popen.stdin.close()


async def _watched(processes: Sequence[Process], stop: asyncio.Event) -> None:
    while not stop.is_set():
        for one in processes:
            if one.popen.poll() is not None:
                raise WirewatchError(
                    f"{one.name} ended with status {one.popen.returncode}",
                    sentence=f"The stage {one.name} of the demo has ended by itself.",
                    hint=f"Read why in {one.log}.",
                )
        with contextlib.suppress(TimeoutError):  # time to look again
            async with asyncio.timeout(LOOK_SECONDS):
                await stop.wait()

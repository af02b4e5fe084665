"""docs/many-machines.md: what runs without Docker is run as it stands, the rest parsed."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy.cli import main
from deploy.cluster import default_servers_folder
from deploy.servers.launcher import ServerFiles
from deploy.servers.ports import free_port
from tests.conftest import ROOT
from tests.deployment import DEPLOY, STAGES, VERSION, answering, assert_ended, assert_parses
from tests.running import LOOK_SECONDS, START_SECONDS, Place, Running

pytestmark = pytest.mark.timeout(300)  # two servers, then six processes on them

PAGE = (ROOT / "docs" / "many-machines.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {"sh docker", "sh kubernetes", "sh kafka", "sh curl", "sh install"}
"""Blocks that need what tests have not: containers, a Kubernetes, Kafka's tools, a registry."""


def blocks(kind: str) -> list[str]:
    return [one["text"] for one in BLOCK.finditer(PAGE) if one["kind"] == kind]


HERE = [line for text in blocks("sh") for line in text.splitlines()]
EXPORT = "wirewatch kibana export dashboards.ndjson"
RUN = {"wirewatch cluster", "sh deploy/make-secrets.sh", EXPORT}
STAYING = {"setup", "stage", "serve"}
"""What tests below run: these lines, and those of these commands."""


def test_every_block_says_where_it_can_run() -> None:
    kinds = {one["kind"] for one in BLOCK.finditer(PAGE)}

    assert kinds == {"sh", "toml", "yaml"} | ELSEWHERE


def test_every_command_that_can_run_here_is_run_by_a_test() -> None:
    assert set(HERE) == RUN | {line for line in HERE if line.split()[1] in STAYING}


def test_the_dashboards_are_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(EXPORT)[1:]) == 0
    lines = (tmp_path / "dashboards.ndjson").read_text("utf-8").splitlines()
    assert {json.loads(line)["type"] for line in lines} >= {"dashboard", "index-pattern"}


def ours() -> list[list[str]]:
    """Every command of ours on the page: in blocks, after what starts a container, in prose."""
    text = "\n".join(text for kind in ("sh", *ELSEWHERE) for text in blocks(kind))
    lines = re.findall(r"(?:^|exec \w+ )wirewatch (.*)$", text, re.MULTILINE)
    prose = re.findall(r"`wirewatch ([^`]+)`", PAGE)
    return [shlex.split(line.replace("…", "x")) for line in [*lines, *prose]]


def test_every_command_of_ours_parses() -> None:
    commands = ours()

    assert {("stage", stage) for stage in STAGES} <= {tuple(words) for words in commands}
    for words in commands:
        assert_parses(words)


def test_compose_commands_name_services_and_volumes_of_the_file() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    lines = [line for text in blocks("sh docker") for line in text.splitlines()]
    for line in lines:
        if line.startswith("docker compose"):
            verb, *words = shlex.split(line.removeprefix("docker compose -f deploy/compose.yaml"))
            scaled = {word.split("=")[0] for word in words if re.fullmatch(r"\w+=\d", word)}
            named = scaled | {word for word in words if word in compose["services"]}
            assert named <= set(compose["services"])
            if verb in {"exec", "wait"} or "--no-deps" in words:
                assert named, line
        for volume in re.findall(r"--volume wirewatch_([\w-]+):", line):
            assert volume in compose["volumes"]


def test_the_api_key_of_the_page_grants_what_the_role_grants() -> None:
    (command,) = blocks("sh curl")
    words = shlex.split(command)
    body = json.loads(words[words.index("--data") + 1])
    role = json.loads((DEPLOY / "compose" / "roles" / f"{body['name']}.json").read_text("utf-8"))
    (descriptor,) = body["role_descriptors"].values()

    assert descriptor == {key: role[key] for key in ("cluster", "indices")}


def test_images_on_the_page_are_of_this_version() -> None:
    assert set(re.findall(r"wirewatch:(\d[\w.]*)", PAGE)) == {VERSION}


def test_what_the_scrape_names_are_services_that_answer() -> None:
    (text,) = [one for one in blocks("yaml") if "scrape_configs" in one]
    (job,) = yaml.safe_load(text)["scrape_configs"]

    assert job["dns_sd_configs"][0]["names"] == list(STAGES)


def test_secrets_are_made_where_the_compose_file_looks(tmp_path: Path) -> None:
    (command,) = [line for line in HERE if "make-secrets" in line]
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "make-secrets.sh", tmp_path / "deploy")
    subprocess.run(shlex.split(command), cwd=tmp_path, check=True, capture_output=True)

    assert (tmp_path / "deploy" / "secrets" / "ca.crt").exists()


@pytest.fixture(scope="module")
def cluster(server_files: ServerFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the command prints; both servers run as long as the tests of this file."""
    assert server_files.jars.path == default_servers_folder()
    (line,) = [line for line in HERE if "cluster" in line]
    running = Running(Place(folder=tmp_path_factory.mktemp("page")), *shlex.split(line)[1:])
    try:
        yield asyncio.run(printed(running))
    finally:
        assert asyncio.run(running.terminate()) == 0


async def printed(running: Running) -> str:
    async with asyncio.timeout(2 * START_SECONDS):
        while "Ctrl-C stops both" not in (said := running.output.read_text("utf-8")):
            assert running.process.poll() is None, running.said()
            await asyncio.sleep(LOOK_SECONDS)
    return said[said.index("[log]") : said.index("Ctrl-C")]


def test_the_cluster_prints_such_settings_as_the_page_shows(cluster: str) -> None:
    shown, found = tomllib.loads(blocks("toml")[0]), tomllib.loads(cluster)

    assert {name: set(part) for name, part in found.items()} == {
        name: set(part) for name, part in shown.items()
    }
    assert found["log"]["backend"] == shown["log"]["backend"]
    assert found["index"]["backend"] == shown["index"]["backend"]


async def test_setup_and_a_process_for_each_stage_run_with_these_settings(
    cluster: str, tmp_path: Path
) -> None:
    file = tmp_path / "wirewatch.toml"
    file.write_text(cluster, "utf-8")
    first, *lasting = [shlex.split(line)[1:] for line in HERE if line.split()[1] in STAYING]
    assert first == ["setup"]
    done = Place(folder=tmp_path).call("--config", str(file), *first, check=False)
    assert done.returncode == 0, done.stderr

    started = [stage_of(words, file) for words in lasting]
    try:
        for running, health in started:
            await answering(running, health)
    finally:
        ended = [await running.terminate() for running, _ in started]
    assert_ended({words[-1]: status for words, status in zip(lasting, ended, strict=True)})


def stage_of(words: list[str], file: Path) -> tuple[Running, str]:
    """A process for ``words``, in a folder of its own, and where it tells of its health."""
    folder = file.parent / "-".join(words)
    folder.mkdir()
    port = free_port()
    setting = "api.port" if words == ["serve"] else "stage.metrics_port"
    place = Place(folder=folder, settings={setting: port})
    return Running(place, "--config", str(file), *words), f"http://127.0.0.1:{port}/healthz"

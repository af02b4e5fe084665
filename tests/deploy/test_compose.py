"""compose.yaml: against the schema of the format, and against our own commands and settings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.kafka import KafkaServer
from tests.deployment import (
    DEPLOY,
    IMAGE,
    METRICS_PORT,
    STAGES,
    assert_parses,
    is_pinned,
    unknown_settings,
)

FILE = DEPLOY / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"] == IMAGE}
ONE_SHOT = {"accounts", "setup"}


def checked_by_schema(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    return subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)


def test_the_file_fits_the_schema_of_the_compose_specification() -> None:
    done = checked_by_schema(FILE)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("there", "instead"),
    [("image: wirewatch", "imaeg: wirewatch"), ("cap_drop: [ALL]", "cap_drop: ALL")],
)
def test_the_schema_refuses_what_is_wrong(tmp_path: Path, there: str, instead: str) -> None:
    text = FILE.read_text("utf-8")
    assert there in text
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(text.replace(there, instead, 1), "utf-8")

    assert checked_by_schema(wrong).returncode == 1


def test_there_is_a_service_for_each_stage_and_what_it_needs() -> None:
    assert set(SERVICES) == {*STAGES, "serve", "page", "setup"} | {
        "kafka",
        "elasticsearch",
        "accounts",
        "kibana",
    }
    for stage in STAGES:
        assert SERVICES[stage]["command"] == ["stage", stage]


@pytest.mark.parametrize("name", sorted(OURS))
def test_its_command_is_one_of_ours(name: str) -> None:
    assert_parses(OURS[name]["command"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_its_variables_name_settings(name: str) -> None:
    assert unknown_settings(OURS[name]["environment"]) == []


def test_an_unknown_variable_or_command_would_be_seen() -> None:
    assert unknown_settings(["WIREWATCH_LOG__BOOTSTRAPS", "PATH"]) == ["WIREWATCH_LOG__BOOTSTRAPS"]
    with pytest.raises(KeyError):
        assert_parses(["stages", "poll"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_pinned_limited_watched_and_hardened(name: str) -> None:
    service = SERVICES[name]

    assert is_pinned(service["image"]), service["image"]
    assert re.fullmatch(r"\d+[mg]", service["deploy"]["resources"]["limits"]["memory"])
    assert service["restart"] == ("on-failure:5" if name in ONE_SHOT else "unless-stopped")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    health = service["healthcheck"]
    assert health.get("disable") if name in ONE_SHOT else health["test"]
    # The servers of others write into their own folders; each says so where it is switched off.
    assert service["read_only"] is (name not in {"kafka", "elasticsearch", "kibana"})


def test_a_stage_is_asked_for_its_health_where_it_answers() -> None:
    for stage in STAGES:
        assert SERVICES[stage]["environment"]["WIREWATCH_STAGE__METRICS_PORT"] == str(METRICS_PORT)
        assert f":{METRICS_PORT}/healthz" in SERVICES[stage]["healthcheck"]["test"][-1]


def test_nothing_is_published_beyond_loopback() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}

    assert set(published) == {"serve", "kibana"}
    assert all(str(p).startswith("127.0.0.1:") for ports in published.values() for p in ports)


def test_a_stage_can_be_scaled() -> None:
    for name in STAGES:
        assert not {"container_name", "hostname", "ports"} & set(SERVICES[name]), name


def test_every_name_leads_somewhere() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"]), name
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            if not target:
                continue  # the container's own
            if source.startswith("."):
                assert (DEPLOY / source).exists(), f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"


def test_who_waits_for_health_waits_for_something_that_shows_it() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            ends = how["condition"] == "service_completed_successfully"
            assert ends is (needed in ONE_SHOT), f"{name} waits for {needed}"


def secrets_of(service: dict[str, Any]) -> dict[str, str]:
    """The service's secrets, by where they lie in it."""
    given = [one if isinstance(one, dict) else {"source": one} for one in service["secrets"]]
    return {one.get("target", f"/run/secrets/{one['source']}"): one["source"] for one in given}


def test_every_secret_is_declared_used_and_where_it_is_looked_for() -> None:
    used = set()
    for name, service in SERVICES.items():
        places = secrets_of(service)
        used |= set(places.values())
        text = " ".join(map(str, [*service.get("environment", {}).values(), service]))
        for place in re.findall(r"/run/secrets/[\w.-]+", text):
            assert place in places, f"{name} looks for {place}"
    assert used == set(COMPOSE["secrets"])


def test_no_password_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY|TOKEN", variable):
                assert str(value).startswith("/run/secrets/"), f"{name}: {variable}"


def test_only_who_needs_it_can_reach_the_internet() -> None:
    assert COMPOSE["networks"]["inner"]["internal"] is True
    outside = {name for name, one in SERVICES.items() if "outer" in one.get("networks", [])}

    assert outside == {"poll", "alert", "serve", "kibana"}


def test_the_servers_are_of_the_versions_that_the_tests_run() -> None:
    kafka, elasticsearch = (KafkaServer.version, ElasticsearchServer.version)

    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka}"
    for name, product in {"elasticsearch": "elasticsearch", "accounts": "elasticsearch"}.items():
        image = f"docker.elastic.co/{product}/{product}:{elasticsearch}"
        assert SERVICES[name]["image"] == image
    assert SERVICES["kibana"]["image"] == f"docker.elastic.co/kibana/kibana:{elasticsearch}"

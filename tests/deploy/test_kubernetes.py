"""The manifests: against the schemas of Kubernetes, and against our own commands and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import kubernetes_validate
import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from deploy.settings import Settings
from ingest.kafka_settings import KafkaSettings
from ingest.log import topic_specs
from tests.conftest import ROOT
from tests.deployment import DEPLOY, IMAGE, METRICS_PORT, STAGES, assert_parses, unknown_settings

FOLDER = DEPLOY / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
VERSIONS = ("1.32", "1.37")
ARTICLE_PARTITIONS = Settings().log.partitions
"""More taggers would stand idle."""

Manifest = dict[str, Any]


def manifests(folder: Path = FOLDER) -> Iterator[Manifest]:
    for file in sorted(folder.glob("*.yaml")):
        if file.name != "kustomization.yaml":
            yield from yaml.safe_load_all(file.read_text("utf-8"))


def named(one: Manifest) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


def of_kind(*kinds: str) -> list[Manifest]:
    return [one for one in manifests() if one["kind"] in kinds]


WORKLOADS = of_kind("StatefulSet", "Deployment", "Job")
SCALING = {named(one): one for one in manifests(FOLDER / "scaling")}


def pod(workload: Manifest) -> Manifest:
    found: Manifest = workload["spec"]["template"]
    return found


def container(workload: Manifest) -> Manifest:
    (found,) = pod(workload)["spec"]["containers"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_the_schema_of_kubernetes(version: str) -> None:
    own = [one for one in SCALING.values() if not one["apiVersion"].startswith("keda.sh/")]
    for one in [*manifests(), *own]:
        kubernetes_validate.validate(one, version, strict=True)


def test_the_schema_refuses_what_is_wrong() -> None:
    (tag,) = [one for one in WORKLOADS if one["metadata"]["name"] == "tag"]
    container(tag)["readinesProbe"] = {}
    try:
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(tag, VERSIONS[0], strict=True)
    finally:
        del container(tag)["readinesProbe"]


def test_the_kustomization_takes_every_file() -> None:
    assert set(KUSTOMIZATION) == {"apiVersion", "kind", "namespace", "images", "resources"}
    there = {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == there


def test_there_is_a_workload_for_each_stage_and_what_it_needs() -> None:
    kinds = {one["metadata"]["name"]: one["kind"] for one in WORKLOADS}

    assert kinds == dict.fromkeys(STAGES, "StatefulSet") | {"serve": "Deployment", "setup": "Job"}


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_its_command_is_one_of_ours_and_its_image_is_the_kustomizations(workload: Manifest) -> None:
    name = workload["metadata"]["name"]
    words = container(workload)["args"]
    (image,) = KUSTOMIZATION["images"]

    assert words == (["stage", name] if name in STAGES else [name])
    assert_parses(words)
    assert container(workload)["image"] == IMAGE == f"{image['name']}:{image['newTag']}"


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_its_pod_is_confined(workload: Manifest) -> None:
    spec, inside = pod(workload)["spec"], container(workload)

    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"memory", "ephemeral-storage"} <= set(inside["resources"]["limits"])
    assert {"cpu", "memory"} <= set(inside["resources"]["requests"])


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_its_variables_name_settings_and_its_files_are_mounted(workload: Manifest) -> None:
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind("ConfigMap")}
    variables: dict[str, str] = {}
    for source in container(workload)["envFrom"]:
        variables |= maps[source["configMapRef"]["name"]]
    variables |= {one["name"]: one["value"] for one in container(workload).get("env", [])}
    volumes = {one["name"]: one for one in pod(workload)["spec"]["volumes"]}
    mounts = {one["name"]: one["mountPath"] for one in container(workload)["volumeMounts"]}
    paths = {f"{mounts['secrets']}/{one['path']}" for one in volumes["secrets"]["secret"]["items"]}

    assert unknown_settings(variables) == []
    assert set(mounts) == set(volumes)
    # Each pod is given what it is told to read, and nothing else.
    assert {value for name, value in variables.items() if name.endswith("_FILE")} == paths


def test_every_key_of_the_secret_is_made_by_the_command_of_the_page() -> None:
    page = (ROOT / "docs" / "many-machines.md").read_text("utf-8")
    made = set(re.findall(r"--from-file=(?:([\w.-]+)=)?\S*?([\w.-]+)(?= |$)", page, re.MULTILINE))
    keys = {alias or name for alias, name in made}
    asked = {
        item["key"]
        for workload in WORKLOADS
        for volume in pod(workload)["spec"]["volumes"]
        for item in volume.get("secret", {}).get("items", [])
    }

    assert asked == keys


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_its_health_is_asked(workload: Manifest) -> None:
    if workload["kind"] == "Job":
        return  # it ends
    inside = container(workload)
    probes = [inside[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
    if workload["kind"] == "Deployment":
        # `serve` listens on loopback alone: it is asked from inside.
        assert all("127.0.0.1:8720/" in probe["exec"]["command"][-1] for probe in probes)
        return
    assert inside["ports"] == [{"name": "metrics", "containerPort": METRICS_PORT}]
    assert probes[2]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    # A restart brings no broker back: being alive does not depend on one.
    assert all(probe["tcpSocket"] == {"port": "metrics"} for probe in probes[:2])


def labels_of(workload: Manifest) -> set[tuple[str, str]]:
    return set(pod(workload)["metadata"]["labels"].items())


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_selectors_find_their_pods(workload: Manifest) -> None:
    own = workload["spec"].get("selector", {"matchLabels": {}})["matchLabels"]

    assert set(own.items()) <= labels_of(workload)
    reaching = {
        one["metadata"]["name"]
        for one in of_kind("NetworkPolicy")
        if set(one["spec"]["podSelector"]["matchLabels"].items()) <= labels_of(workload)
    }
    outside = {"poll", "alert", "serve"}
    assert reaching == {"stages"} | (
        {"internet"} if workload["metadata"]["name"] in outside else set()
    )


def test_one_pod_of_a_stage_goes_at_a_time() -> None:
    for one in of_kind("PodDisruptionBudget"):
        found = set(one["spec"]["selector"]["matchLabels"].items())
        held = [w["metadata"]["name"] for w in WORKLOADS if found <= labels_of(w)]
        assert held == [one["metadata"]["name"]]
    assert {one["metadata"]["name"] for one in of_kind("PodDisruptionBudget")} == set(STAGES)


def test_stages_differ_only_where_they_must() -> None:
    sets = [one for one in WORKLOADS if one["kind"] == "StatefulSet"]
    for key in ("securityContext", "automountServiceAccountToken", "terminationGracePeriodSeconds"):
        assert len({str(pod(one)["spec"][key]) for one in sets}) == 1, key
    for key in ("ports", "startupProbe", "livenessProbe", "readinessProbe", "volumeMounts"):
        assert len({str(container(one)[key]) for one in sets}) == 1, key


def test_no_more_taggers_than_partitions() -> None:
    by_cpu = SCALING["HorizontalPodAutoscaler/tag"]["spec"]

    assert by_cpu["maxReplicas"] == ARTICLE_PARTITIONS
    assert by_cpu["scaleTargetRef"]["name"] == "tag"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metadata(_Strict):
    name: str
    namespace: Literal["wirewatch"]
    labels: dict[str, str]


class Target(_Strict):
    apiVersion: Literal["apps/v1"]  # noqa: N815 - Kubernetes' name
    kind: Literal["StatefulSet"]
    name: Literal["tag"]


class Lag(_Strict):
    bootstrapServers: str  # noqa: N815 - KEDA's names, here and below
    consumerGroup: str  # noqa: N815 - as KEDA has it
    topic: str
    lagThreshold: str  # noqa: N815 - as KEDA has it
    offsetResetPolicy: Literal["earliest", "latest"]  # noqa: N815 - as KEDA has it


class Reference(_Strict):
    name: str


class Trigger(_Strict):
    type: Literal["kafka"]
    metadata: Lag
    authenticationRef: Reference  # noqa: N815 - as KEDA has it


class ScaledSpec(_Strict):
    scaleTargetRef: Target  # noqa: N815 - as KEDA has it
    minReplicaCount: int  # noqa: N815 - as KEDA has it
    maxReplicaCount: int  # noqa: N815 - as KEDA has it
    pollingInterval: int  # noqa: N815 - as KEDA has it
    cooldownPeriod: int  # noqa: N815 - as KEDA has it
    triggers: list[Trigger]


class ScaledObject(_Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815 - as KEDA has it
    kind: Literal["ScaledObject"]
    metadata: Metadata
    spec: ScaledSpec


def test_the_scaler_by_lag_follows_the_taggers_group_and_topic() -> None:
    # KEDA's schema is in no package: these are the keys of it that we use.
    scaled = ScaledObject.model_validate(SCALING["ScaledObject/tag"])
    (trigger,) = scaled.spec.triggers
    prefix = KafkaSettings().prefix
    config = {one["metadata"]["name"]: one["data"] for one in of_kind("ConfigMap")}["wirewatch"]

    assert scaled.spec.maxReplicaCount == ARTICLE_PARTITIONS
    assert trigger.metadata.consumerGroup == f"{prefix}tag"
    assert trigger.metadata.topic in {f"{prefix}{spec.name}" for spec in topic_specs()}
    assert trigger.metadata.bootstrapServers == config["WIREWATCH_LOG__BOOTSTRAP"]
    assert f"TriggerAuthentication/{trigger.authenticationRef.name}" in SCALING

"""What deploy/ has for containers: valid by the platforms' schemas, and true to the product's settings and version."""

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import catalog
from deploy import redis_acl
from deploy.cli import COMMANDS
from deploy.proving import layout
from deploy.proving.parts import Parts
from indexer.settings import IndexerSettings
from tests.support.variables import REQUIRED, known_variables

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
COMPOSE = [ROOT / "docker-compose.yml", ROOT / "deploy/docker/stack.yaml"]
# The newest schemas that operators' clusters have.
KUBERNETES_VERSION = "1.34"
# Kinds that an operator of the cluster brings.
ELSEWHERE = {"ExternalSecret", "PodMonitor"}
REDIS = {"REDIS_CACHE_URL", "REDIS_QUEUE_URL"}


def documents(folder: Path) -> Iterator[tuple[Path, dict[str, object]]]:
    for path in sorted(folder.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] != "Kustomization":
                yield path, document


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(d, id=f"{p.stem}-{d['kind']}")
        for p, d in documents(KUBERNETES)
        if d["kind"] not in ELSEWHERE
    ],
)
def test_kubernetes_accepts_each_object(document: dict[str, object]) -> None:
    kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)


def test_the_image_is_built_on_one_base_of_a_known_digest() -> None:
    lines = (ROOT / "deploy/docker/Dockerfile").read_text().splitlines()
    (base,) = [line for line in lines if line.startswith("ARG BASE=")]
    assert re.fullmatch(r"ARG BASE=python:3\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)
    assert [line.split()[1] for line in lines if line.startswith("FROM ")] == ["${BASE}", "${BASE}"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("overlay", ["small", "production"])
def test_each_overlay_is_built(overlay: str) -> None:
    command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    images = {
        container["image"]
        for document in built
        if document["kind"] in ("Deployment", "Job")
        for container in document["spec"]["template"]["spec"]["containers"]
    }
    assert images == {f"thmanyah-discovery:{catalog.__version__}"}
    scaler = next(document["spec"] for document in built if document["kind"] == "HorizontalPodAutoscaler")
    limits = {"small": (1, 3), "production": (3, 20)}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == limits[overlay]


def test_every_variable_of_kubernetes_is_a_setting_and_each_required_one_is_set() -> None:
    config: set[str] = set()
    secrets: dict[str, dict[str, str]] = {}
    for _, document in documents(KUBERNETES):
        content: Any = document
        if document["kind"] == "ConfigMap":
            config = set(content["data"])
        if document["kind"] == "ExternalSecret":
            entries = content["spec"]["data"]
            found = {entry["secretKey"]: entry["remoteRef"]["property"] for entry in entries}
            secrets[content["metadata"]["name"]] = found
    assert secrets.keys() == {"thmanyah-api", "thmanyah-worker"}
    for secret in secrets.values():
        assert (config | secret.keys()) <= known_variables()
        assert not config & secret.keys()
    # The API has another user in Redis, and a key of the engine that may only search.
    api, worker = secrets["thmanyah-api"], secrets["thmanyah-worker"]
    assert worker.keys() >= REQUIRED
    assert api.keys() >= REQUIRED - {"MEILI_KEY"} | {"MEILI_SEARCH_KEY"}
    assert {name for name in api.keys() & worker.keys() if api[name] != worker[name]} == REDIS


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_every_variable_of_compose_is_a_setting_and_each_required_one_is_set(path: Path) -> None:
    services = yaml.safe_load(path.read_text())["services"]
    ours = {name: service for name, service in services.items() if "thmanyah" in service.get("command", [])}
    assert {"api", "sync", "worker", "scheduler"} <= ours.keys()
    for name, service in ours.items():
        assert service["environment"].keys() <= known_variables(), name
        assert service["environment"].keys() >= REQUIRED, name
        assert service["image"].rpartition(":")[2] == catalog.__version__, name
    api, worker = ours["api"]["environment"], ours["worker"]["environment"]
    assert all(api[name] != worker[name] for name in REDIS)


@pytest.mark.parametrize("server", redis_acl.SERVERS)
def test_the_redis_of_compose_has_the_users_of_the_product(server: redis_acl.Server) -> None:
    document = yaml.safe_load(COMPOSE[0].read_text())
    credentials = {role: f">${{REDIS_{role.upper()}_PASSWORD:?set it in .env}}" for role in redis_acl.ROLES}
    expected = redis_acl.users([server], credentials, IndexerSettings().redis_prefix)
    assert document["configs"][f"{server}-users"]["content"] == expected
    service = document["services"][server]
    assert service["command"][-2:] == ["--aclfile", "/users.acl"]
    assert service["configs"] == [{"source": f"{server}-users", "target": "/users.acl"}]


def test_every_variable_of_the_cluster_is_a_setting_and_each_required_one_is_set(tmp_path: Path) -> None:
    with layout.choose() as places:
        parts = Parts(places, tmp_path)
        parts.keys = {"MEILI_KEY": "writes", "MEILI_SEARCH_KEY": "searches"}
        children = parts.processes()
    assert len(children) == 9
    for child in children:
        names = child.environment.keys() - {"PROMETHEUS_MULTIPROC_DIR"}
        assert names <= known_variables(), child.name
        assert names >= REQUIRED, child.name
        # The process that strangers speak to has the key that may only search.
        is_api = child.name.startswith("api-")
        assert child.environment["MEILI_KEY"] == ("" if is_api else "writes"), child.name


def variables_of(file: Path) -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", file.read_text(), re.MULTILINE))


def test_every_variable_of_systemd_is_a_setting_and_each_required_one_is_set() -> None:
    folder = ROOT / "deploy/systemd"
    assert variables_of(folder / "thmanyah.env") <= known_variables()
    assert variables_of(folder / "thmanyah.env") >= REQUIRED
    assert variables_of(folder / "api.env") == {"MEILI_KEY", "MEILI_SEARCH_KEY", *REDIS}
    unit = (folder / "thmanyah@.service").read_text()
    # A unit for each process is enabled in the documentation.
    documented = set(re.findall(r"thmanyah@(\w+)", read("docs/deployment.md"))) - {"service"}
    assert documented == {"api", "sync", "worker", "scheduler"} <= set(COMMANDS)
    assert "ExecStart=/opt/thmanyah/bin/thmanyah %i" in unit
    for protection in ("DynamicUser=true", "ProtectSystem=strict", "CapabilityBoundingSet=\n"):
        assert protection in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    for process in ("api", "sync"):
        unit = (ROOT / "deploy/systemd/thmanyah@.service").read_text()
        copy = tmp_path / f"thmanyah@{process}.service"
        copy.write_text(unit.replace("/opt/thmanyah/bin/thmanyah", "/bin/true"))
        done = subprocess.run(
            ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
        )
        assert "thmanyah" not in done.stderr, done.stderr


def read(path: str) -> str:
    return (ROOT / path).read_text()


def test_names_and_numbers_are_those_of_the_mission() -> None:
    # Swarm calls a service <stack>_<service>: thmanyah_api.
    assert "docker stack deploy -c deploy/docker/stack.yaml thmanyah" in read("deploy/docker/stack.yaml")
    assert "api" in yaml.safe_load(read("deploy/docker/stack.yaml"))["services"]
    kinds = {
        (document["kind"], document["metadata"]["name"]): document  # type: ignore[index]  # YAML has no types
        for _, document in documents(KUBERNETES / "base")
    }
    assert ("Deployment", "thmanyah-api") in kinds
    scaler = kinds["HorizontalPodAutoscaler", "thmanyah-api-hpa"]["spec"]
    assert isinstance(scaler, dict)
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "thmanyah-api"}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 20)
    targets = {m["resource"]["name"]: m["resource"]["target"] for m in scaler["metrics"]}
    assert targets == {
        "cpu": {"type": "Utilization", "averageUtilization": 70},
        "memory": {"type": "Utilization", "averageUtilization": 80},
    }
    assert scaler["behavior"] == {
        "scaleUp": {
            "stabilizationWindowSeconds": 60,
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
        },
    }
    pooler = configparser.ConfigParser()
    pooler.read(ROOT / "deploy/pgbouncer/pgbouncer.ini")
    names = ("pool_mode", "max_client_conn", "default_pool_size")
    assert [pooler["pgbouncer"][name] for name in names] == ["transaction", "1000", "25"]


def test_docker_swarm_knows_every_key_of_the_stack() -> None:
    # See https://docs.docker.com/engine/swarm/stack-deploy: these need `docker compose`.
    text = (ROOT / "deploy/docker/stack.yaml").read_text()
    assert not re.findall(r"^ +(?:depends_on|build|restart|container_name|network_mode):", text, re.MULTILINE)

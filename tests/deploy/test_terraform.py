"""The Terraform files: they parse, say what they mean, and have the mission's numbers and names."""

from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import pytest

from deploy import redis_acl
from tests.support.paths import ROOT
from tests.support.variables import known_variables

FOLDER = ROOT / "deploy/terraform"
MODULES = ("network", "alb", "asg", "rds", "elasticache", "engines")


def plain(value: Any) -> Any:
    """The value as a person writes it: the parser keeps the quotes of strings and marks blocks."""
    if isinstance(value, str):
        return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items() if k != "__is_block__"}
    return [plain(item) for item in value] if isinstance(value, list) else value


@cache
def parsed(path: Path) -> dict[str, Any]:
    with path.open() as file:
        return plain(hcl2.load(file))  # type: ignore[no-any-return]  # it is untyped


def blocks(folder: Path, kind: str) -> dict[str, Any]:
    """Name -> content of every block of a kind; resources by type and name."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.tf")):
        for block in parsed(path).get(kind, []):
            for name, content in block.items():
                if kind in ("resource", "data"):
                    found |= {f"{name}.{inner}": body for inner, body in content.items()}
                else:
                    found[name] = content
    return found


def first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "folder", [FOLDER, *(FOLDER / "modules" / name for name in MODULES)], ids=lambda p: p.name
)
def test_every_variable_and_output_is_described(folder: Path) -> None:
    variables, outputs = blocks(folder, "variable"), blocks(folder, "output")
    for name, body in (variables | outputs).items():
        assert body.get("description"), name
    for name, body in variables.items():
        assert body.get("type"), name


@pytest.mark.parametrize("name", MODULES)
def test_each_module_is_given_its_variables_and_no_others(name: str) -> None:
    call = blocks(FOLDER, "module")[name]
    wanted = blocks(FOLDER / "modules" / name, "variable")
    required = {variable for variable, body in wanted.items() if "default" not in body}
    assert set(call) - {"source"} <= set(wanted)
    assert set(call) - {"source"} >= required
    assert call["source"] == f"./modules/{name}"


def test_every_reference_to_a_module_is_an_output_of_it() -> None:
    import re

    text = "".join(path.read_text() for path in FOLDER.glob("*.tf"))
    references = set(re.findall(r"\bmodule\.(\w+)\.(\w+)", text))
    assert references
    for module, output in references:
        assert output in blocks(FOLDER / "modules" / module, "output"), (module, output)
    used = set(re.findall(r"\bvar\.(\w+)", text))
    assert used == set(blocks(FOLDER, "variable"))


def test_the_group_has_the_names_and_numbers_of_the_mission() -> None:
    resources = blocks(FOLDER / "modules/asg", "resource")
    group = resources["aws_autoscaling_group.api"]
    assert (group["name"], group["min_size"], group["max_size"], group["desired_capacity"]) == (
        "thmanyah-api-asg",
        3,
        20,
        5,
    )
    tag = first(group["tag"])
    assert tag == {"key": "Name", "value": "thmanyah-api", "propagate_at_launch": True}
    assert first(group["launch_template"])["version"] == "$Latest"
    policy = resources["aws_autoscaling_policy.api_cpu"]
    assert (policy["name"], policy["policy_type"]) == ("api-cpu-scaling", "TargetTrackingScaling")
    tracking = first(policy["target_tracking_configuration"])
    assert tracking["target_value"] == 70.0
    metric = first(tracking["predefined_metric_specification"])
    assert metric["predefined_metric_type"] == "ASGAverageCPUUtilization"


def test_stores_have_replicas_and_encryption_and_lose_nothing() -> None:
    stores = blocks(FOLDER / "modules/rds", "resource")
    primary = stores["aws_db_instance.primary"]
    assert primary["multi_az"] is primary["storage_encrypted"] is True
    assert "aws_db_instance.primary" in stores["aws_db_instance.replica"]["replicate_source_db"]
    caches = blocks(FOLDER / "modules/elasticache", "resource")
    for name in ("cache", "queue"):
        group = caches[f"aws_elasticache_replication_group.{name}"]
        assert group["transit_encryption_enabled"] is group["automatic_failover_enabled"] is True
    policies = {
        name: {
            first(p)["name"]: first(p)["value"]
            for p in caches[f"aws_elasticache_parameter_group.{name}"]["parameter"]
        }
        for name in ("cache", "queue")
    }
    assert policies["cache"]["maxmemory-policy"] == "allkeys-lfu"
    assert policies["queue"] == {"maxmemory-policy": "noeviction"}


def test_users_of_redis_may_what_the_processes_need_and_default_nothing() -> None:
    module = FOLDER / "modules/elasticache"
    assert (module / "access.json").read_text() == redis_acl.elasticache(redis_acl.SERVERS)
    resources = blocks(module, "resource")
    for name in redis_acl.SERVERS:
        group = resources[f"aws_elasticache_replication_group.{name}"]
        assert "auth_token" not in group
        assert f'main["{name}"]' in str(group["user_group_ids"])
    assert resources["aws_elasticache_user.default"]["access_string"].startswith("off ")
    urls = str(blocks(module, "output")["urls"]["value"])
    assert "rediss+cluster://${role}:" in urls
    assert "rediss://${role}:" in urls
    # Each process gets the addresses of its own user.
    main = (FOLDER / "main.tf").read_text()
    assert "module.elasticache.urls[each.key]" in main
    assert 'environment["api"].arn' in main


def test_every_variable_of_the_processes_is_a_setting() -> None:
    given = set()
    for path in FOLDER.glob("*.tf"):
        for block in parsed(path).get("locals", []):
            given |= set(block.get("environment", {}))
    assert given <= known_variables()
    assert given >= {"DATABASE_URL", "MEILI_URLS", "THMANYAH_SECRET_KEY"}

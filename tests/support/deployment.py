"""Reads the files of `deploy/` with the checkers of their fields: `make check-deploy`, whose environment it runs in.

The Dockerfile with hadolint, nginx's files with gixy, all manifests with checkov, and Terraform's arguments with the
schema of the AWS provider. It prints what they found, and fails when they found something.
"""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "deploy/terraform"
CHECKOV = ROOT / "deploy/checkov.yaml"
_SECONDS = 600
# What Terraform itself understands in every resource.
_META = {"count", "for_each", "depends_on", "lifecycle", "provider"}


def commands() -> Iterator[list[str]]:
    """Yield the checkers' commands."""
    binaries = Path(sys.executable).parent
    yield [str(binaries / "hadolint"), "--failure-threshold", "warning", "deploy/docker/Dockerfile"]
    # Names of upstreams are resolved once: instances have addresses of their own, or a reload follows a change.
    yield [str(binaries / "gixy"), "--skips", "stale_dns_cache", "deploy/edge/nginx.conf"]
    for framework in ("terraform", "kubernetes", "dockerfile"):
        yield [str(binaries / "checkov"), "--config-file", str(CHECKOV), "--framework", framework]


def wrong_arguments() -> Iterator[str]:
    """Yield, as sentences, arguments of Terraform's blocks that the AWS provider does not have or that it misses."""
    schemas = Schemas()
    for path in sorted(TERRAFORM.rglob("*.tf")):
        with path.open() as file:
            parsed = hcl2.load(file)
        for kind in ("resource", "data"):
            for block in parsed.get(kind, []):
                for quoted_type, named in block.items():
                    resource = quoted_type.strip('"')
                    if resource.startswith("aws_"):
                        for name, body in named.items():
                            where = f"{path.relative_to(ROOT)}: {kind} {resource}.{name.strip(chr(34))}"
                            yield from schemas.differences(kind, resource, _first(body), where)


class Schemas:
    """The arguments of each kind of block, read from the classes that are generated from the provider's schema."""

    def __init__(self) -> None:
        found = importlib.util.find_spec("cdktn_provider_aws")
        assert found is not None
        assert found.origin is not None
        self._folder = Path(found.origin).parent
        self._classes: dict[str, dict[str, tuple[set[str], set[str]]]] = {}

    def differences(self, kind: str, resource: str, body: dict[str, Any], where: str) -> Iterator[str]:
        """Yield what is wrong with one resource.

        Args:
            kind: `resource` or `data`.
            resource: Its type, such as `aws_lb`.
            body: Its arguments and blocks.
            where: How messages name it.
        """
        module = ("data_" if kind == "data" else "") + resource
        module = module if kind == "data" else module.removeprefix("aws_")
        classes = self._of(module)
        camel = "".join(part.capitalize() for part in module.split("_"))
        if f"{camel}Config" not in classes:
            yield f"{where}: the provider has no {resource}."
            return
        yield from self._compare(classes, f"{camel}Config", camel, body, where)

    def _compare(
        self,
        classes: dict[str, tuple[set[str], set[str]]],
        name: str,
        prefix: str,
        body: dict[str, Any],
        where: str,
    ) -> Iterator[str]:
        known, required = classes[name]
        # The parser adds names of its own, such as __start_line__.
        given = {
            argument: value
            for argument, value in body.items()
            if argument not in _META | {"dynamic"} and not argument.startswith("__")
        }
        for dynamic in body.get("dynamic", []):
            for argument, block in dynamic.items():
                given[argument.strip('"')] = _first(block)["content"]
        for argument in sorted(given.keys() - known):
            yield f"{where}: the provider knows no {argument!r}."
        for argument in sorted(required - given.keys()):
            yield f"{where}: {argument!r} is missing."
        for argument, value in given.items():
            inner = prefix + "".join(part.capitalize() for part in argument.split("_"))
            for block in value if isinstance(value, list) else [value]:
                if isinstance(block, dict) and inner in classes:
                    yield from self._compare(classes, inner, inner, block, f"{where}.{argument}")

    def _of(self, module: str) -> dict[str, tuple[set[str], set[str]]]:
        """Class -> (its arguments, those it requires) of one kind of resource; empty if there is none."""
        if module not in self._classes:
            path = self._folder / module / "__init__.py"
            tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
            self._classes[module] = {
                node.name: _arguments(method)
                for node in tree.body
                if isinstance(node, ast.ClassDef)
                for method in node.body
                if isinstance(method, ast.FunctionDef) and method.name == "__init__"
            }
        return self._classes[module]


def _arguments(method: ast.FunctionDef) -> tuple[set[str], set[str]]:
    named = [
        (arg.arg.rstrip("_"), default)
        for arg, default in zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True)
    ]
    return {name for name, _ in named}, {name for name, default in named if default is None}


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def main() -> None:
    """Run every checker, and print what is wrong.

    Raises:
        SystemExit: Something is.
    """
    wrong = False
    for command in commands():
        print(f"== {Path(command[0]).name} {' '.join(command[1:])}", flush=True)
        wrong |= subprocess.run(command, cwd=ROOT, timeout=_SECONDS, check=False).returncode != 0
    print("== arguments of Terraform's blocks, by the provider's schema", flush=True)
    for sentence in wrong_arguments():
        print(sentence)
        wrong = True
    raise SystemExit(wrong)


if __name__ == "__main__":
    main()

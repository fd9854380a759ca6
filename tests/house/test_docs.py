"""The documents name files, functions and sections that exist."""

import ast
import re
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from catalog.schema.registry import Base

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "catalog", "deploy", "indexer", "migrations", "perf", "tests")
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "migrations/*.md", "deploy/**/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
# Its entries describe files as they were at the time.
HISTORY = {"CHANGELOG.md"}
# Names in the style of our own that belong to another library or to a file that the text invents.
FOREIGN = {"videos.list", "search.list", "20270114_01_program_subtitles.py"}
_FILE = re.compile(r"[\w.{}<>*-]*(?:/[\w.{}<>*-]+)*\.(?:py|md|toml|yml|yaml|sql|txt|tsv|lua|json|jsonl)")
_FOLDER = re.compile(r"(?:[\w.-]+/)+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def _id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _prose(page: Path) -> str:
    """Return the page's text without its code blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)


def _quoted(page: Path) -> list[str]:
    """Return everything between single backticks, except lines that quote an earlier wording."""
    lines = [line for line in _prose(page).splitlines() if not line.startswith("> ")]
    return re.findall(r"`([^`\n]+)`", "\n".join(lines))


@cache
def _files() -> list[Path]:
    """Return every file of the project: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


@cache
def _modules() -> dict[str, Path]:
    """Return dotted module name -> file, for every Python file of the packages."""
    names = {path.relative_to(ROOT).as_posix(): path for path in _files() if path.suffix == ".py"}
    return {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path
        for name, path in names.items()
        if name.split("/")[0] in PACKAGES
    }


def _members(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return the names that a module or class body binds: functions, classes, assignments, imports."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
            if getattr(node, "name", "") == "__init__":
                found |= _attributes(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {
                name.id: node for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
            }
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name): node for alias in node.names}
        elif isinstance(node, ast.If | ast.Try):
            found |= _members(node.body)
    return found


def _attributes(function: ast.stmt) -> dict[str, ast.stmt]:
    return {
        node.attr: function
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


@cache
def _owners() -> dict[str, list[dict[str, ast.stmt]]]:
    """Return module or class name (its last part) -> the members of each module or class of this name."""
    found: dict[str, list[dict[str, ast.stmt]]] = defaultdict(list)
    for module, path in _modules().items():
        members = _members(ast.parse(path.read_text()).body)
        members |= {
            other.rpartition(".")[2]: ast.Pass() for other in _modules() if other.rpartition(".")[0] == module
        }
        stem = module.rpartition(".")[2]
        for name in (module, stem):
            found[name].append(members)
        for name, node in members.items():
            if isinstance(node, ast.ClassDef):
                found[name].append(_members(node.body))
                if name.lower() == stem:  # `node.enqueue` is the method of the class Node in node.py
                    found[stem].append(_members(node.body))
    for table in Base.metadata.tables.values():
        found[table.name].append({column.name: ast.Pass() for column in table.columns})
    return found


def _resolves(name: str) -> bool:
    """Tell whether a dotted name is a module, or a member of a module, class or table of ours."""
    if name in _modules() or name in FOREIGN:
        return True
    owner, _, member = name.rpartition(".")
    if any(member in members for members in _owners().get(owner, ())):
        return True
    # module.Class.method: the class is a member of the module, the method one of the class.
    outer, _, inner = owner.rpartition(".")
    return bool(outer) and _resolves(owner) and any(member in found for found in _owners().get(inner, ()))


def _ours(name: str) -> bool:
    """Tell whether the first part of a dotted name is a package, module, class or table of ours."""
    return name.split(".", maxsplit=1)[0] in {*PACKAGES, *_owners()}


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in HISTORY], ids=_id)
def test_every_named_file_exists(page: Path) -> None:
    names = {path.name for path in _files()}
    for quoted in _quoted(page):
        path = quoted.partition("::")[0]
        if not (_FILE.fullmatch(path) or (_FOLDER.fullmatch(path) and path.split("/")[0] in PACKAGES)):
            continue
        if any(letter in path for letter in "{}<>*") or path.startswith(("YYYY", "/")) or path in FOREIGN:
            continue
        known = (ROOT / path).exists() or (page.parent / path).exists()
        assert known or ("/" not in path and path in names), f"{_id(page)}: {path}"


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in HISTORY], ids=_id)
def test_every_named_function_exists(page: Path) -> None:
    for quoted in _quoted(page):
        name = quoted.removesuffix("()")
        if _DOTTED.fullmatch(name) and not _FILE.fullmatch(name) and _ours(name):
            assert _resolves(name), f"{_id(page)}: {name}"


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, made as GitHub and Forgejo make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)
    plain = (re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_link_leads_to_a_page_and_a_section(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), f"{_id(page)}: {target}"
        if anchor:
            assert anchor in _anchors(linked), f"{_id(page)}: {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        for link in links:
            path = page.parent / link
            waiting += [path / "README.md"] if path.is_dir() else [path] if path.exists() else []
    assert {_id(page) for page in PAGES if page.resolve() not in reached} == set()


def test_python_files_name_pages_that_exist() -> None:
    for path in _modules().values():
        for page in re.findall(r"(?<![\w/])docs/[\w/-]+\.md", path.read_text()):
            assert (ROOT / page).exists(), f"{_id(path)}: {page}"


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs/decisions"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name[:4] for name in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    rows = re.findall(
        r"^\| \[(\d+)\]\((.+?)\) \| (.+?) \| (accepted|superseded by \[\d+\]\(.+?\)) \|$",
        (folder / "README.md").read_text(),
        re.M,
    )
    assert [name for _, name, _, _ in rows] == pages
    for number, name, title, status in rows:
        text = (folder / name).read_text()
        assert int(name[:4]) == int(number)
        assert text.startswith(f"# {number}. {title}\n\nStatus: {status}\n"), name


def test_the_glossary_has_every_term_once() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", (ROOT / "docs/glossary.md").read_text(), re.M)
    terms = [term for term, _ in rows if term != "term" and not term.startswith("--")]
    assert len(terms) == len(set(terms))
    wanted = {
        "published",
        "withdrawn",
        "mark",
        "dirty set",
        "target",
        "sender",
        "leadership",
        "epoch",
        "lease",
    }
    wanted |= {"tombstone", "minimum revision", "generation", "superseded", "initial fill", "rebuild", "swap"}
    wanted |= {"drift audit", "orphan index", "park", "poison document", "proposal", "run", "item", "source"}
    assert wanted | {"taxonomy", "checkpoint", "garbage collection"} <= set(terms)

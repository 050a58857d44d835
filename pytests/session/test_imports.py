"""The modules of the package import each other one way, as docs/architecture.md draws it."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "heapyard"
BINDINGS = ("heap", "objects", "region", "bump", "domain", "debug", "pages", "block", "misuse")
SUITE = {
    "bench",
    "cli",
    "corpus",
    "fuzz",
    "pytest_plugin",
    "report",
    "reproducer",
    "rules",
    "trial",
}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_ours(path: Path) -> bool:
    links = (PACKAGE / "contract", PACKAGE / "corpus" / "sources")  # to folders of pytests
    return not any(path.is_relative_to(link) for link in links)


FILES = {module_of(path): path for path in PACKAGE.rglob("*.py") if is_ours(path)}


def imported(path: Path) -> Iterator[str]:
    """Each name that an import names, those for the type checker and those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def imports(module: str) -> set[str]:
    """The modules of ours that a module imports; a package stands for what it offers."""
    names = set(imported(FILES[module]))
    found = {name if name in FILES else name.rpartition(".")[0] for name in names}
    return (found & set(FILES)) - {module}


def imports_below(folder: str) -> set[str]:
    """The parts of the package that one of them imports."""
    inside = [m for m in FILES if f"{m}.".startswith(f"heapyard.{folder}.")]
    return {name.split(".")[1] for m in inside for name in imports(m) if name != "heapyard"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter({module: imports(module) for module in FILES}).prepare()


@pytest.mark.parametrize("binding", BINDINGS)
def test_the_allocators_know_nothing_of_the_suite(binding: str) -> None:
    assert imports_below(binding) & SUITE == set()


@pytest.mark.parametrize("part", ["trial", "rules"])
def test_the_trial_knows_nothing_of_the_allocators(part: str) -> None:
    assert imports_below(part) & set(BINDINGS) == set()

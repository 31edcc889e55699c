"""The shape of the package: no import circles, a small root, functions that fit on a screen."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import langchain_unified

ROOT = Path(langchain_unified.__file__).parent
NAME = ROOT.name

MAX_ROOT_MODULES = 10
MAX_LINES = 45
MAX_NESTING = 4

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name. A package has the name of its folder."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = [NAME, *path.relative_to(ROOT).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()
each_module = pytest.mark.parametrize("name", MODULES)


# --- imports ----------------------------------------------------------------------------------------------------------


def imported(name: str) -> set[str]:
    """The modules of ours that a module imports, under `TYPE_CHECKING` and inside functions as well."""
    found = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else str(node.module))
    return found & MODULES.keys() - {name}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first of them again at the end; empty where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_no_modules_import_each_other() -> None:
    # The package's own `__init__` is in no circle: it only names what it loads at first use.
    graph = {name: imported(name) - {NAME} for name in MODULES if name != NAME}
    assert circle(graph) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set(), "d": {"a", "c"}}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "c"}})) == {"b", "c"}


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_the_root_holds_few_modules() -> None:
    root = sorted(path.name for path in ROOT.glob("*.py") if path.name != "__init__.py")
    assert len(root) <= MAX_ROOT_MODULES, root


@each_module
def test_functions_are_short(name: str) -> None:
    sizes = {each.name: 1 + (each.end_lineno or 0) - each.lineno for each in functions(MODULES[name])}
    assert {function: size for function, size in sizes.items() if size > MAX_LINES} == {}


@each_module
def test_functions_are_flat(name: str) -> None:
    depths = {each.name: nesting(each.body) for each in functions(MODULES[name])}
    assert {function: depth for function, depth in depths.items() if depth > MAX_NESTING} == {}


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def nesting(statements: Iterable[ast.stmt]) -> int:
    """How deep statements stand in blocks of each other. An `elif` is as deep as its `if`."""
    return max((_depth(statement) for statement in statements), default=0)


def _depth(statement: ast.stmt) -> int:
    if not isinstance(statement, BLOCKS):
        return 0
    inner = [*getattr(statement, "body", []), *getattr(statement, "finalbody", [])]
    for part in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        inner += part.body
    otherwise = getattr(statement, "orelse", [])
    if isinstance(statement, ast.If) and len(otherwise) == 1 and isinstance(otherwise[0], ast.If):
        return max(1 + nesting(inner), nesting(otherwise))
    return 1 + nesting([*inner, *otherwise])


def test_the_depth_of_a_function_is_that_of_its_blocks() -> None:
    source = """
for a in b:
    if a:
        pass
    elif b:
        with c:
            pass
    else:
        try:
            pass
        except ValueError:
            while d:
                pass
"""
    assert nesting(ast.parse(source).body) == 4
    assert nesting(ast.parse("x = 1").body) == 0

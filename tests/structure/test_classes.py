"""No class is long, nor made long by what it inherits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from imports.rules import PACKAGES, sources

LONGEST = 500  # lines, with those of the bases that are our own


@dataclass(frozen=True)
class Class:
    """A class by module and name, its own lines, and its bases as `module.name`."""

    name: str
    lines: int
    bases: tuple[str, ...]


def classes_in(module: str, source: str) -> Iterator[Class]:
    """Yield the classes of a module, with those that are inside of others."""
    tree = ast.parse(source)
    origins = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            named = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
            bases = [ast.unparse(base) for base in named]
            assert node.end_lineno is not None
            yield Class(
                f"{module}.{node.name}",
                node.end_lineno - node.lineno + 1,
                tuple(origins.get(base, f"{module}.{base}") for base in bases),
            )


def whole_lengths(found: dict[str, Class]) -> dict[str, int]:
    """Return the lines of each class and of all that it inherits from among `found`."""

    def ancestors(name: str) -> set[str]:
        if name not in found:
            return set()
        return {name}.union(*(ancestors(base) for base in found[name].bases))

    return {name: sum(found[one].lines for one in ancestors(name)) for name in found}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_class_is_long(package: str) -> None:
    found = {
        one.name: one
        for module, path in sources()
        if module.split(".")[0] == package
        for one in classes_in(module, path.read_text())
    }
    assert found
    lengths = whole_lengths(found)
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_what_is_inherited_counts_once() -> None:
    source = "class A:\n    a = 1\nclass B(A):\n    b = 1\nclass C(A, B[int], dict):\n    c = 1\n"
    found = {one.name: one for one in classes_in("m", source)}
    assert whole_lengths(found) == {"m.A": 2, "m.B": 4, "m.C": 6}

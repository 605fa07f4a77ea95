"""Uses of private names of Textual and Rich in the client's sources."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import palaver_tui

ROOT = Path(palaver_tui.__file__).parent
LIBRARIES = ("textual", "rich")
# Public names of the standard library that begin with an underscore.
PUBLIC = {"_replace", "_asdict", "_fields", "_exit"}


class Use(NamedTuple):
    """A use of a private name, of a module or an attribute, in `module`."""

    module: str
    name: str
    where: str


def uses() -> Iterator[Use]:
    """Yield every use of a private name in palaver_tui."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__init__":
            yield from uses_in(".".join(parts), path.read_text())


def uses_in(module: str, source: str) -> Iterator[Use]:
    """Yield the uses in one module, whose name is relative to palaver_tui."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(name)) | ast.alias(name=name) if _is_private(name):
                yield Use(module, name, f"line {node.lineno}")
    mine = {attribute.attr for attribute in _attributes(tree) if _is_self(attribute.value)}
    for attribute in _attributes(tree):
        if not _is_self(attribute.value) and not (
            attribute.attr in mine and not _is_super(attribute)
        ):
            yield Use(module, attribute.attr, f"line {attribute.lineno}")
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            theirs = _private_of_bases(module, node.name)
            for name, line in _own_private(node):
                if name in theirs:
                    yield Use(module, name, f"line {line}")


def _is_private(module: str) -> bool:
    top, *rest = module.split(".")
    return top in LIBRARIES and any(part.startswith("_") for part in rest)


def _attributes(tree: ast.AST) -> list[ast.Attribute]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in PUBLIC
    ]


def _is_self(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def _is_super(attribute: ast.Attribute) -> bool:
    return isinstance(attribute.value, ast.Call)


def _own_private(node: ast.ClassDef) -> Iterator[tuple[str, int]]:
    """Yield the private methods that a class defines and the private attributes of `self`."""
    for inner in ast.walk(node):
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if inner.name.startswith("_") and not inner.name.startswith("__"):
            yield inner.name, inner.lineno
    for attribute in _attributes(node):
        if _is_self(attribute.value):
            yield attribute.attr, attribute.lineno


def _private_of_bases(module: str, name: str) -> set[str]:
    """Return the private names of the libraries' classes that a class inherits from."""
    found = getattr(import_module(f"palaver_tui.{module}"), name, None)
    if not inspect.isclass(found):
        return set()
    bases = [base for base in found.__mro__ if base.__module__.partition(".")[0] in LIBRARIES]
    return set().union(*map(private_of, bases))


@cache
def private_of(owner: type) -> frozenset[str]:
    """Return the private methods and attributes that a class itself defines."""
    methods = {name for name in vars(owner) if name.startswith("_") and not name.endswith("__")}
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    attributes = {one.attr for one in _attributes(tree) if _is_self(one.value)}
    return frozenset(methods | attributes)

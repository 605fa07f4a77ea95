"""Every imported library is declared where it is installed, and every declared one is used."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions

from imports.rules import PACKAGES, ROOT, imports_of, sources

TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
# The extras with which each package is installed, beside the base.
EXTRAS = {"palaver": (), "palaverd": ("server",), "palaver_tui": ("tui",)}
# Libraries that may be missing where they are imported, with the consequence.
OPTIONAL = {"palaver.remote.desktop_keyring": ("keyring",)}
# Declared, but not imported.
AHEAD = {"mcp"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    """Return the names of the distributions of the base and these extras."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    return {
        normal(re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0]) for each in lists for one in each
    }


def imported() -> list[tuple[str, str]]:
    """Return each of the project's modules with the distribution of something it imports."""
    from_name = packages_distributions()
    return [
        (module, normal(from_name[top][0]))
        for module, path in sources()
        for found in imports_of(module, path, path.read_text(encoding="utf-8"))
        if (top := found.imported.partition(".")[0]) in from_name and top not in PACKAGES
    ]


def test_what_is_imported_is_declared() -> None:
    lacks = {
        f"{module} imports {name}"
        for module, name in imported()
        if name not in declared(*EXTRAS[module.partition(".")[0]], *OPTIONAL.get(module, ()))
    }
    assert not lacks


def test_what_is_declared_is_imported() -> None:
    used = {name for _, name in imported()}
    assert declared("tui", "server", "keyring") - used == AHEAD


def test_each_upper_bound_has_its_reason_above_it() -> None:
    lines = [line.strip() for line in TEXT.splitlines()]
    bounds = [n for n, line in enumerate(lines) if re.match(r'"[^"]*(<|==|~=)', line)]
    assert bounds
    assert [lines[n] for n in bounds if not lines[n - 1].startswith("#")] == []

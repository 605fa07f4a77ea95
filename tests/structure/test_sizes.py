"""The sources are short enough to be read, and no module has a name without a subject."""

from __future__ import annotations

import inspect
from importlib import import_module
from statistics import median

import pytest

from imports.rules import PACKAGES, ROOT, sources

LONGEST = 500  # lines of a module, or of a class with its mixins
# Names that fit anything, so that nothing can be found under them.
SUBJECTLESS = {"utils", "util", "helpers", "helper", "misc", "common", "stuff", "tools_misc"}


def lengths(package: str) -> dict[str, int]:
    folder = ROOT / PACKAGES[package] / package
    return {
        str(path.relative_to(folder)): len(path.read_text().splitlines())
        for path in folder.rglob("*.py")
        # A migration is never changed; an empty file has no docstring.
        if "versions" not in path.parts and path.stat().st_size
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_are_small(package: str) -> None:
    found = lengths(package)
    assert found, f"{package} has no sources"
    assert median(found.values()) < 130
    long = {name: length for name, length in found.items() if length > 300}
    assert len(long) * 10 <= len(found), f"more than a tenth over 300 lines: {long}"
    assert max(found.values()) <= LONGEST, long


@pytest.mark.parametrize("package", PACKAGES)
def test_classes_are_small_with_all_that_they_inherit_of_ours(package: str) -> None:
    modules = [name for name, _ in sources() if name.partition(".")[0] == package]
    too_long = {}
    for name in modules:
        if name.endswith("__main__") or ".migrations." in name:
            continue  # they run on import
        for found in vars(import_module(name)).values():
            if inspect.isclass(found) and found.__module__ == name:
                ours = [
                    one for one in found.__mro__ if one.__module__.partition(".")[0] in PACKAGES
                ]
                length = sum(len(inspect.getsource(one).splitlines()) for one in ours)
                if length > LONGEST:
                    too_long[f"{name}.{found.__qualname__}"] = length
    assert not too_long


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_a_subject(package: str) -> None:
    folder = ROOT / PACKAGES[package] / package
    named = [path for path in folder.rglob("*") if path.stem.lower() in SUBJECTLESS]
    assert not named

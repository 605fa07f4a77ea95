"""The sources stay small enough to be read, and every module has a subject."""

from __future__ import annotations

from statistics import median

import pytest

from imports.rules import PACKAGES, ROOT

# Names under which anything can be put, so that nothing can be found.
SUBJECTLESS = {"utils", "util", "helpers", "helper", "misc", "common", "stuff", "tools_misc"}


def lengths(package: str) -> dict[str, int]:
    folder = ROOT / PACKAGES[package] / package
    return {
        str(path.relative_to(folder)): len(path.read_text().splitlines())
        for path in folder.rglob("*.py")
        # A migration is written once and never read as a whole; an empty file says nothing.
        if "versions" not in path.parts and path.stat().st_size
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_are_small(package: str) -> None:
    found = lengths(package)
    assert found, f"{package} has no sources"
    assert median(found.values()) < 150
    long = {name: length for name, length in found.items() if length > 400}
    assert len(long) * 10 <= len(found), f"more than a tenth over 400 lines: {long}"
    assert max(found.values()) <= 800, long


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_a_subject(package: str) -> None:
    folder = ROOT / PACKAGES[package] / package
    named = [path for path in folder.rglob("*") if path.stem.lower() in SUBJECTLESS]
    assert not named

"""docs/transcript.md names modules, classes and tests that are there."""

from __future__ import annotations

import re

from imports.rules import ROOT

PAGE = (ROOT / "docs/transcript.md").read_text()
CLIENT = ROOT / "tui/palaver_tui"
ROOMS = ("text", "state", "transcript", "screen", "widgets", "textual_patches")


def test_every_module_and_test_that_is_named_is_there() -> None:
    modules = set(re.findall(rf"(?:{'|'.join(ROOMS)})/[\w/]*(?:\.py)?", PAGE))
    tests = set(re.findall(r"tests/[\w/]+\.py", PAGE))
    assert len(modules) > 30
    assert len(tests) > 10
    assert [name for name in sorted(modules) if not (CLIENT / name).exists()] == []
    assert [name for name in sorted(tests) if not (ROOT / name).exists()] == []


def test_every_class_that_is_named_is_in_the_module_beside_it() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
    named = [
        (name, path)
        for cells in rows
        for name in re.findall(r"`([A-Z]\w+)`", cells[0])
        for path in [re.findall(r"`([\w/]+(?:\.py|/))`", cells[-1])]
        if path
    ]
    assert len(named) > 15
    for name, paths in named:
        files = [
            file
            for path in paths
            for file in ((CLIENT / path).rglob("*.py") if path.endswith("/") else [CLIENT / path])
        ]
        assert any(f"class {name}" in file.read_text() for file in files), name


def test_every_class_that_is_named_anywhere_is_a_class_of_the_client() -> None:
    source = "\n".join(path.read_text() for path in CLIENT.rglob("*.py"))
    classes = set(re.findall(r"^class (\w+)", source, re.MULTILINE))
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]?\w*)(?:\.\w+)?`", PAGE))
    assert len(named) > 25
    assert named - classes == set()

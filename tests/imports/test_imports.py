"""Imports follow the layers, and each library is imported in its own place only."""

from __future__ import annotations

from pathlib import Path

import pytest

from imports.rules import PACKAGES, Import, broken_by, imports_of, sources
from support.fresh import output_of


def test_no_import_breaks_a_rule() -> None:
    broken = [
        f"{path.parent.name}/{found.where}: {rule}"
        for module, path in sources()
        for found in imports_of(module, path, path.read_text())
        if (rule := broken_by(found)) is not None
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("importer", "imported", "rule"),
    [
        ("palaver.cli.run", "palaverd.store", "palaver may not import palaverd"),
        ("palaver.launch", "palaver_tui.app", "palaver may not import palaver_tui"),
        ("palaver_tui.app", "palaverd.api", "palaver_tui may not import palaverd"),
        ("palaver_tui.app", "palaver.cli.run", "the interface may not import"),
        ("palaver_tui.app", "aiohttp", "palaver_tui.app may not import aiohttp"),
        ("palaverd.api.chats", "palaver_tui.app", "palaverd may not import palaver_tui"),
        ("palaverd.store.door", "palaverd.worker", "worker: it is not below"),
        ("palaverd.chatstate", "palaverd.failures", "failures: it is not below"),
        ("palaverd.usecases.queue", "palaverd.api.bodies", "api: it is not below"),
        ("palaverd.usecases.models", "palaverd.usecases.queue", "queue: it is not below"),
        ("palaver.cli.run_turn", "palaver.cli.run", "run: it is not below"),
        ("palaver.client.transport", "palaver.client.client", "client: it is not below"),
        ("palaverd.api.queue", "palaverd.store.transitions.queue", "it calls a use case"),
        ("palaverd.api.queue", "palaverd.store.door.Door", "it calls a use case"),
        ("palaverd.api.queue", "sqlalchemy", "may not import sqlalchemy"),
        ("palaverd.api.chats", "palaverd.simulator", "know nothing of each other"),
        ("palaverd.simulator.app", "palaverd.providers", "know nothing of each other"),
        ("palaver.client.client", "click", "may not import click"),
        ("palaver.client.client", "anthropic", "may not import anthropic"),
        ("palaver.wire.chats", "aiohttp", "may not import aiohttp"),
        ("palaverd.worker.runner", "anthropic", "may not import anthropic"),
        ("palaverd.worker.runner", "sqlalchemy.sql", "may not import sqlalchemy"),
        ("palaverd.chatstate.table", "asyncio", "is pure"),
        ("palaver_tui.text.code", "threading", "is pure"),
        ("palaver_tui.text.half_blocks", "palaver.wire", "palaver_tui.text may not import palaver"),
        ("palaver_tui.text.document", "palaver_tui.state", "may not import palaver_tui.state"),
        (
            "palaver_tui.text.source.origins",
            "palaver_tui.text.open_block",
            "open_block: it is not below",
        ),
        ("palaver_tui.text.markdown.parser", "palaver_tui.text.markdown.tokens", "not below"),
        ("palaver_tui.transcript.column", "palaver_tui.transcript.viewport", "not below"),
        ("palaver_tui.transcript.marks", "palaver_tui.themes", "may not import palaver_tui.themes"),
        ("palaver_tui.transcript.viewport", "textual.geometry", "may not import textual"),
        ("palaver_tui.storage.drafts", "palaver_tui.session.session", "session: it is not below"),
        ("palaver_tui.session.outbox", "palaver_tui.widgets.bar", "widgets: it is not below"),
        ("palaver_tui.widgets.bar", "palaver_tui.screen.painter", "screen: it is not below"),
        ("palaver_tui.screen.painter", "palaver_tui.actions.edits", "actions: it is not below"),
        ("palaver_tui.actions.edits", "palaver_tui.app", "app: it is not below"),
        ("palaver_tui.text.wrap", "palaver_tui.state.chat", "may not import palaver_tui.state"),
        ("palaver_tui.storage.drafts", "textual.app", "may not import textual"),
        ("palaver_tui.session.session", "textual.app", "may not import textual"),
        ("palaver_tui.state.chat", "asyncio", "is pure"),
    ],
)
def test_what_must_not_be_imported_breaks_a_rule(importer: str, imported: str, rule: str) -> None:
    assert rule in str(broken_by(Import(importer, imported, "")))


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("palaverd.worker.runner", "palaverd.generation.turn"),
        ("palaverd.worker.runner", "palaverd.worker.leases"),
        ("palaverd.worker.runner", "palaver.wire.chats"),
        ("palaverd.worker.runner", "asyncio"),
        ("palaverd.cli", "palaverd.__version__"),
        ("palaver_tui.app", "palaver.client.Client"),
        ("palaver_tui.storage.drafts", "palaver_tui.state.chat"),
        ("palaver_tui.actions.undo", "palaver_tui.widgets.composer"),
        ("palaverd.store.tables", "sqlalchemy"),
        ("palaver.cli.main", "click"),
    ],
)
def test_what_may_be_imported_breaks_none(importer: str, imported: str) -> None:
    assert broken_by(Import(importer, imported, "")) is None


def test_every_form_of_import_is_seen() -> None:
    source = """
import a.b
from c import d
def lazily():
    from . import e
    from .f import g
    from ..h import i
"""
    found = imports_of("palaverd.store.door", Path("door.py"), source)
    assert {item.imported for item in found} == {
        "a.b",
        "c.d",
        "palaverd.store.e",
        "palaverd.store.f",
        "palaverd.h",
    }


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(output_of(program).split())


HEAVY = {"textual", "rich", "sqlalchemy", "alembic", "anthropic", "openai", "mcp", "pydantic"}


@pytest.mark.process
def test_the_base_loads_no_library_of_the_daemon_or_the_interface() -> None:
    modules = sorted(
        module
        for module, _ in sources()
        if module.partition(".")[0] == "palaver" and not module.endswith("__main__")
    )
    loaded = loaded_by("import " + ", ".join(modules))
    assert "aiohttp" in loaded
    assert not loaded & (HEAVY | {"palaverd", "palaver_tui"})


@pytest.mark.process
def test_help_waits_for_nothing_but_click() -> None:
    statement = (
        "import contextlib, io\n"
        "from palaver.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()): run(['--help'])"
    )
    assert not loaded_by(statement) & (
        HEAVY | {"aiohttp", "msgspec", "asyncio", "platformdirs", "pathlib"}
    )


def modules_in_circles() -> dict[str, set[str]]:
    """Return the modules that import each other by way of others, by package.

    `from a.b import c` counts as an import of the module `a.b.c` if there is one, else of `a.b`.
    """
    modules = {module for module, _ in sources()}
    imported: dict[str, set[str]] = {}
    for module, path in sources():
        found = {one.imported for one in imports_of(module, path, path.read_text())}
        known = {name if name in modules else name.rpartition(".")[0] for name in found}
        imported[module] = (known & modules) - {module}

    def reached_from(module: str) -> set[str]:
        reached: set[str] = set()
        waiting = [module]
        while waiting:
            new = imported[waiting.pop()] - reached
            reached |= new
            waiting += new
        return reached

    circling: dict[str, set[str]] = {package: set() for package in PACKAGES}
    for module in modules:
        if module in reached_from(module):
            circling[module.partition(".")[0]].add(module)
    return circling


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_way_of_others(package: str) -> None:
    assert modules_in_circles()[package] == set()

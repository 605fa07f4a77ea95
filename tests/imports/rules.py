"""Which module may import which, as tables. `make check` and the tests check the sources."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"palaver": "common", "palaverd": "server", "palaver_tui": "tui"}

# The project's packages: palaverd -> palaver <- palaver_tui.
MAY_IMPORT_OURS = {
    "palaver": {"palaver"},
    "palaverd": {"palaverd", "palaver"},
    "palaver_tui": {"palaver_tui", "palaver"},
    "palaver_tui.text": {"palaver_tui.text"},  # any text: it does not know chats
    "palaver_tui.transcript": {
        "palaver.wire",
        "palaver_tui.timing",
        "palaver_tui.text",
        "palaver_tui.state",
        "palaver_tui.transcript",
    },
}

# Each package, and some rooms in one, from the ground up. A layer imports layers below it; within a
# line, only itself.
LAYERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "palaverd": (
        ("lean_imports",),
        (
            "chatstate",
            "crashpoints",
            "datadir",
            "failures",
            "lean_libraries",
            "logs",
            "metrics",
            "platform",
        ),
        ("exporting", "file_folder"),
        ("file_types",),
        ("config",),
        ("tcp_sockets", "tls"),
        ("store",),
        ("indexing", "retention"),
        ("usecases",),
        ("pubsub",),
        ("stream",),
        ("providers",),
        ("tools", "mcp"),
        ("generation",),
        ("worker",),
        ("active_config",),
        ("api",),
        ("daemon",),
        ("serve",),
        ("cli",),
        ("__main__",),
    ),
    "palaver": (
        ("garbage",),
        ("clock", "lean_aiohttp", "paths", "misfits", "directives"),
        ("wire", "servers"),
        ("stream", "workspaces"),
        ("client",),
        ("daemon_process", "remote", "setup"),
        ("launch", "interface"),
        ("demo",),
        ("cli",),
        ("__main__",),
    ),
    "palaver.wire": (
        ("access", "bounds", "errors", "questions", "setup"),
        ("messages",),
        ("chats",),
        ("actions", "events", "exports", "files", "protocol", "queue", "search"),
        ("decode",),
    ),
    "palaver.client": (
        ("connection_events", "endpoint", "limits", "reasons"),
        ("backoff", "errors", "websocket"),
        ("connector", "proxies"),
        ("transport",),
        ("live", "requests", "saving"),
        ("client",),
        ("pages",),
    ),
    "palaver.remote": (
        ("address", "desktop_keyring", "mux", "preface"),
        ("carrier", "servers", "ssh_command", "token_store"),
        ("ssh_failures",),
        ("ssh",),
        ("endpoints",),
    ),
    # What is shared by commands first; a command imports another one for what both do.
    "palaver.cli": (
        ("answer", "commands", "exits", "features", "logfile", "messages", "settings", "words"),
        ("questions",),
        (
            "attachments",
            "chat_marks",
            "confirmation",
            "findings",
            "options",
            "output",
            "runtime",
            "turn",
            "workspaces",
        ),
        ("completion", "daemon", "doctor", "login", "result", "servers", "stream_state"),
        ("daemon_logs", "daemon_status", "ids"),
        (
            "answer_command",
            "archive",
            "edits",
            "interface",
            "ls",
            "marks",
            "queue",
            "run_turn",
            "send",
        ),
        ("search", "show", "tail_text", "transfer"),
        ("main", "run", "tail"),
        ("demo",),
    ),
    "palaverd.usecases": (
        ("access", "context", "errors", "keyed_requests"),
        (
            "attachments",
            "exporting",
            "families",
            "files",
            "labels",
            "models",
            "search",
            "titles",
            "turns",
            "workspaces",
        ),
        ("lookups",),
        ("files", "importing", "messages", "settings"),
        ("history", "queue"),
    ),
    "palaver_tui": (
        ("timing",),
        ("text", "keymap"),
        ("state", "themes", "platform", "textual_patches"),
        ("storage", "transcript"),
        ("session", "widgets"),
        ("screen",),
        ("context",),
        ("actions",),
        ("app",),
        ("entry_point",),
    ),
    "palaver_tui.text": (
        ("spans", "durations"),
        ("visible", "wrap"),
        ("code", "half_blocks"),
        ("diff",),
        ("markdown",),
        ("source", "finished_blocks"),
        ("open_block", "plain"),
        ("document",),
    ),
    "palaver_tui.text.markdown": (
        ("symbols", "emphasis", "metadata", "nesting", "table", "table_rows"),
        ("formulas",),
        ("inline", "parser"),
        ("tokens",),
        ("lines", "splitter"),
    ),
    "palaver_tui.text.source": (
        ("inline_origins",),
        ("origins",),
        ("source_map", "trace_cache"),
    ),
    "palaver_tui.text.open_block": (
        ("layout", "words"),
        ("code", "formula", "nest", "table"),
        ("choice",),
    ),
    "palaver_tui.transcript.calls": (
        ("arguments", "output", "picture_box"),
        ("cache",),
        ("content",),
        ("pairs",),
        ("renderers",),
        ("body",),
        ("call",),
        ("registry",),
    ),
    "palaver_tui.transcript": (
        ("folds", "look", "matches"),
        ("calls", "thoughts"),
        ("blocks", "steps"),
        ("section", "message_stacks"),
        ("live",),
        ("assembly",),
        ("column", "drawn_text"),
        ("marks", "positions", "targets"),
        ("anchors", "search_index"),
        ("viewport",),
        ("match_places",),
        ("landing", "pictures", "search", "selection", "target_cursor"),
    ),
}
# Packages whose `__init__` offers what its modules have: it stands above them.
FACADES = {"palaver.client"}
# Routes decode, call a use case and encode. They import values and errors of the store, but nothing
# that reads or changes a chat.
ROUTES_MAY_IMPORT_OF_STORE = (
    "palaverd.store.access",
    "palaverd.store.codec",
    "palaverd.store.database",
    "palaverd.store.filters.ChatFilter",
    "palaverd.store.listing.Cursor",
    "palaverd.store.search.engine",
    "palaverd.store.migrate",
)
# A separate program: it does not import the daemon, nor the daemon it.
STAND_ALONE = {"simulator"}

# Libraries: from a module prefix to what code under it may import. The longest prefix counts.
THIRD_PARTY: dict[str, set[str]] = {
    "palaver": {"msgspec", "platformdirs"},
    "palaver.wire": {"msgspec"},
    "palaver.client": {"msgspec", "aiohttp"},
    "palaver.lean_aiohttp": {"aiohttp"},
    "palaver.cli": {"msgspec", "click"},
    "palaver.setup": {"msgspec", "aiohttp"},
    "palaver.servers": {"msgspec"},
    "palaver.remote": {"msgspec"},
    "palaver.remote.desktop_keyring": {"msgspec", "keyring"},
    "palaver.remote.mux": {"h2"},
    "palaver_tui": {"msgspec", "textual", "rich"},
    "palaver_tui.text": {"msgspec", "rich", "markdown_it", "pygments"},
    "palaver_tui.state": {"msgspec"},
    "palaver_tui.platform": {"msgspec", "PIL"},
    "palaver_tui.storage": {"msgspec"},
    "palaver_tui.transcript": {"msgspec"},
    "palaver_tui.session": {"msgspec"},
    "palaverd": {"msgspec", "click", "aiohttp", "structlog", "prometheus_client", "platformdirs"},
    "palaverd.api": {"msgspec", "aiohttp", "multidict", "structlog", "prometheus_client"},
    "palaverd.cli": {"msgspec", "click", "structlog", "sqlalchemy"},
    "palaverd.chatstate": {"msgspec"},
    "palaverd.exporting": {"msgspec"},
    "palaverd.failures": {"msgspec"},
    "palaverd.file_types": {"puremagic"},
    "palaverd.config": {"msgspec", "platformdirs"},
    "palaverd.tools": {"msgspec"},
    "palaverd.tools.commands": {"msgspec", "structlog"},
    "palaverd.tools.files.finding": {"msgspec", "pathspec"},
    "palaverd.usecases": {"msgspec", "sqlalchemy"},
    "palaverd.store": {"msgspec", "sqlalchemy", "alembic", "aiosqlite", "asyncpg", "structlog"},
    "palaverd.pubsub": {"msgspec", "asyncpg", "structlog"},
    "palaverd.providers": {
        "msgspec",
        "aiohttp",
        "anthropic",
        "openai",
        "httpx2",
        "httpcore2",
        "structlog",
        "yarl",
    },
    "palaverd.mcp": {"msgspec", "mcp", "httpx2", "structlog"},
}

# Pure layers: no event loop, no files, no network, no clock.
PURE = (
    "palaverd.chatstate",
    "palaverd.exporting",
    "palaverd.failures",
    "palaver.stream",
    "palaver.setup.local",
    "palaver.remote.address",
    "palaver.remote.mux",
    "palaver.remote.preface",
    "palaver.remote.ssh_command",
    "palaver.remote.ssh_failures",
    "palaver.servers",
    "palaver_tui.keymap",
    "palaver_tui.state",
    "palaver_tui.text",
    "palaver_tui.transcript",
)
IMPURE = {"asyncio", "socket", "ssl", "subprocess", "threading", "sqlite3", "http", "time", "os"}


@dataclass(frozen=True)
class Import:
    """`importer` (dotted module) imports `imported` at a line of a file."""

    importer: str
    imported: str
    where: str


def sources() -> Iterator[tuple[str, Path]]:
    """Yield each module of the three packages with its file."""
    for package, folder in PACKAGES.items():
        for path in sorted((ROOT / folder / package).rglob("*.py")):
            parts = list(path.relative_to(ROOT / folder).with_suffix("").parts)
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_of(module: str, path: Path, source: str) -> Iterator[Import]:
    """Yield every import, also those inside functions and for type checkers only."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                targets = [name.name for name in names]
            case ast.ImportFrom(module=str(base), names=names, level=0):
                # `from palaverd import store` names a layer that `palaverd` alone does not.
                targets = [f"{base}.{name.name}" for name in names]
            case ast.ImportFrom(names=names, level=level) if level > 0:
                package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                parent = package.split(".")[: len(package.split(".")) - level + 1]
                targets = [".".join([*parent, node.module or name.name]) for name in names]
            case _:
                continue
        for target in targets:
            yield Import(module, target, f"{path.name}:{node.lineno}")


def broken_by(found: Import) -> str | None:
    """Return the rule that an import breaks, None if it is allowed."""
    top, target = found.importer.partition(".")[0], found.imported.partition(".")[0]
    if target in PACKAGES:
        mine = _longest(MAY_IMPORT_OURS, found.importer)
        if not any(_within(found.imported, ours) for ours in MAY_IMPORT_OURS[mine]):
            return f"{mine} may not import {found.imported}"
        if top == "palaver_tui" and _within(found.imported, "palaver.cli"):
            return "the interface may not import the command line"
        rules = (_layer_rule(found, room) for room in LAYERS)
        return next((rule for rule in rules if rule is not None), None)
    if target in sys.stdlib_module_names:
        if target in IMPURE and any(_within(found.importer, pure) for pure in PURE):
            return f"{found.importer} is pure and may not import {target}"
        return None
    allowed = THIRD_PARTY[_longest(THIRD_PARTY, found.importer)]
    return None if target in allowed else f"{found.importer} may not import {target}"


def _longest(prefixes: Iterable[str], module: str) -> str:
    """Return the longest of the prefixes that a module is under."""
    return max((prefix for prefix in prefixes if _within(module, prefix)), key=len)


def _layer_rule(found: Import, package: str) -> str | None:
    """Return the rule of the layers of a package, or of a room in one, that an import breaks."""
    if not (_within(found.importer, package) and _within(found.imported, package)):
        return None
    mine, theirs = _layer(found.importer, package), _layer(found.imported, package)
    if mine == theirs or theirs is None:
        return None
    if mine is None and package in FACADES:
        return None
    if mine is None:
        return f"{found.importer} is below all layers and may not import {theirs}"
    if STAND_ALONE & {mine, theirs}:
        return f"{mine} and {theirs} know nothing of each other"
    for layer in (mine, theirs):
        if _height(package, layer) is None:
            return f"{layer} has no place in the layers: give it one in tests/imports/rules.py"
    if mine == "api" and theirs == "store" and not _is_for_routes(found.imported):
        return f"a route may not import {found.imported}: it calls a use case, which may"
    height, their_height = _height(package, mine), _height(package, theirs)
    assert height is not None
    assert their_height is not None
    return None if their_height < height else f"{mine} may not import {theirs}: it is not below"


def _is_for_routes(imported: str) -> bool:
    return any(_within(imported, prefix) for prefix in ROUTES_MAY_IMPORT_OF_STORE)


def _layer(module: str, package: str) -> str | None:
    """Return the part of a package that a module belongs to, None for the package itself."""
    if module == package:
        return None
    known = {name for line in LAYERS[package] for name in line} | STAND_ALONE
    folder = ROOT / PACKAGES[package.partition(".")[0]] / package.replace(".", "/")
    name = module.removeprefix(f"{package}.").partition(".")[0]
    is_module = (folder / name).is_dir() or (folder / f"{name}.py").is_file()
    # `from palaverd import __version__` imports a name, not a layer.
    return name if name in known or is_module else None


def _height(package: str, layer: str) -> int | None:
    return next((height for height, line in enumerate(LAYERS[package]) if layer in line), None)


def _within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(f"{prefix}.")

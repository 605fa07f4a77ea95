"""The checks of `palaver doctor`. Each is independent: a failure stops no other."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Literal

import msgspec

from palaver import __version__
from palaver.cli.settings import Settings
from palaver.client import Client, PalaverError
from palaver.paths import log_path
from palaver.wire.chats import Info
from palaver.wire.protocol import is_older
from palaver.wire.setup import Setup

State = Literal["ok", "note", "broken"]
SIGNS: dict[State, str] = {"ok": "ok", "note": "--", "broken": "!!"}


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of one check. A `note` is information only; `remedy` says what helps."""

    subject: str
    state: State
    text: str
    remedy: str | None = None

    def line(self) -> str:
        """Return the finding as a line, with its remedy below."""
        line = f"{SIGNS[self.state]}  {self.subject:<12} {self.text}"
        return f"{line}\n{'':<17}{self.remedy}" if self.remedy else line


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield the findings, from the installation up."""
    version = platform.python_version()
    yield Finding("palaver", "ok", f"{__version__} on Python {version} ({sys.platform})")
    yield _installed("daemon", "server", "sqlalchemy")
    yield _installed("interface", "tui", "textual")
    for finding in _data_dir(settings):
        yield finding
    async for finding in _daemon(settings):
        yield finding
    yield _terminal()


def _installed(subject: str, extra: str, module: str) -> Finding:
    if importlib.util.find_spec(module) is not None:
        return Finding(subject, "ok", "installed")
    remedy = f"Where it is wanted:  pip install 'palaver[{extra}]'"
    return Finding(subject, "note", "not installed here", remedy)


def _data_dir(settings: Settings) -> Iterator[Finding]:
    path = settings.data_dir
    if settings.server is not None:
        return
    if not path.exists():
        yield Finding("data", "note", f"{path} will be made")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("data", "broken", f"{path} cannot be used", f"chmod u+rwx {path}")
    elif mode & 0o077:
        remedy = f"chmod 700 {path}"
        yield Finding("data", "note", f"{path} is open to others (mode {mode:o})", remedy)
    else:
        free = shutil.disk_usage(path).free // 1024**2
        yield Finding("data", "ok", f"{path} ({free} MiB free)")


async def _daemon(settings: Settings) -> AsyncIterator[Finding]:
    try:
        endpoint = await settings.connect()
        async with Client(endpoint) as client:
            info = await client.meet()
            told = await client.models()
    except PalaverError as error:
        log = f"See {log_path(settings.data_dir)}" if not settings.remote else None
        yield Finding("connection", "broken", str(error), log)
        return
    text = f"palaverd {info.version}, process {info.pid}, at {endpoint}"
    if info.version == __version__:
        yield Finding("connection", "ok", text)
    else:
        yield Finding("connection", "note", text, _other_version(settings, info))
    if told.setup is not None:
        # Checks of local files and variables do not apply to another machine.
        yield _config(told.setup, here=not settings.remote)
        for finding in _environment(told.setup, here=not settings.remote):
            yield finding
        async for finding in _providers(told.setup, here=not settings.remote):
            yield finding
    models = told.models
    for model in models:
        default = ", the default" if model.default else ""
        text = f"{model.name}: {model.model} of {model.provider}{default}"
        if model.unavailable is None:
            yield Finding("model", "ok", text)
        else:
            state: State = "broken" if model.default else "note"
            yield Finding("model", state, text, model.unavailable.message)
    if not models:
        path = told.setup.config if told.setup is not None else "config.toml"
        yield Finding(
            "model",
            "broken",
            "none is configured",
            f"Name one in {path}; or set ANTHROPIC_API_KEY and run  palaver daemon restart ;"
            " or try  palaver demo",
        )
        if not settings.remote:
            async for finding in _servers():
                yield finding


def _other_version(settings: Settings, info: Info) -> str:
    said = f"This program is {__version__}; they understand each other."
    if is_older(info, __version__):
        where = f"where {settings.server.place} is" if settings.server else "there"
        here = info.private and not settings.remote
        return f"{said} {'palaver daemon restart  brings it.' if here else f'Upgrade it {where}.'}"
    return f"{said} To have the same:  pip install --upgrade palaver"


def _config(setup: Setup, *, here: bool = True) -> Finding:
    if setup.problem is not None:
        text = f"{setup.config} cannot be used; what was in force before still is"
        return Finding("config", "broken", text, setup.problem)
    text = setup.config if setup.found else f"{setup.config} is not there, defaults hold"
    if here and _is_newer(setup):
        return Finding(
            "config",
            "note",
            f"{text} is newer than what the daemon has read",
            "palaver daemon reload  reads it",
        )
    if setup.restart:
        keys = ", ".join(setup.restart)
        return Finding("config", "note", text, f"palaver daemon restart  is needed for: {keys}")
    return Finding("config", "ok", text)


def _is_newer(setup: Setup) -> bool:
    """Return whether the file changed since the daemon read it."""
    try:
        changed = os.stat(setup.config).st_mtime  # noqa: PTH116 - pathlib is not imported here
    except OSError:
        return False
    return setup.read_at is not None and changed > setup.read_at.timestamp()


# Variables that affect how providers are reached: report those that the daemon lacks.
_PROXIES = ("https_proxy", "http_proxy", "all_proxy")
_DECIDING = (*_PROXIES, "ssl_cert_file", "ssl_cert_dir")


def _environment(setup: Setup, *, here: bool) -> Iterator[Finding]:
    """Yield findings about the daemon's proxies and certificates, and missing variables."""
    for named in setup.network:
        state: State = "ok" if named.problem is None else "broken"
        subject = "proxy" if "proxy" in named.variable.lower() else "certificate"
        text = f"{named.variable} = {named.value}, for the daemon"
        remedy = f"{named.problem} Then:  palaver daemon restart" if named.problem else None
        yield Finding(subject, state, text, remedy)
    if not here:
        return
    there = {named.variable.lower() for named in setup.network}
    ours = {name for name in os.environ if name.lower() in _DECIDING and os.environ[name]}
    missing = {name for name in ours if name.lower() not in there}
    missing |= {name for name in setup.variables if os.environ.get(name)}
    for name in sorted(missing):
        text = f"{name} is set here, and was not where the daemon was started"
        yield Finding("environment", "note", text, "palaver daemon restart  brings it")


async def _providers(setup: Setup, *, here: bool) -> AsyncIterator[Finding]:
    """Yield the server behind each provider, how Palaver adapts to it, and notes about it."""
    from palaver.clock import SystemClock
    from palaver.servers.adaptations import does_for
    from palaver.servers.recognition import at_address, sees_no_tools
    from palaver.setup.servers import PROBE_S, probe

    clock = SystemClock()
    known = [at_address(asked.address) for asked in setup.providers]
    # Addresses with credentials are masked, so they cannot be queried.
    told = await asyncio.gather(
        *(
            probe(clock, asked.address)
            if here and server is None and "@" not in asked.address
            else _nobody()
            for asked, server in zip(setup.providers, known, strict=True)
        )
    )
    noted: set[str] = set()
    for asked, server, heard in zip(setup.providers, known, told, strict=True):
        how = "by its address"
        if heard is not None:
            if not heard.headers:
                said = f"no answer within {PROBE_S:g} s" if heard.late else "nothing answers"
                text = f"{asked.name}: {said} at {asked.address} now"
                yield Finding("provider", "note", text, _unheard(setup))
                continue
            server, how = heard.server, "by what it answers"
        waits = f"waits {asked.startup_seconds:.0f} s for the first word"
        if server is None:
            text = f"{asked.name}: a server that is not known, at {asked.address}; {waits}"
            yield Finding("provider", "ok", text)
            continue
        done = "; ".join((waits, *does_for(server)))
        text = f"{asked.name}: {server.name}, {how}, at {asked.address}; {done}"
        yield Finding("provider", "ok", text)
        for note in server.notes if server.slug not in noted else ():
            yield Finding("provider", "note", f"{server.name}: {note.text}")
        noted.add(server.slug)
        if heard is not None and sees_no_tools(heard.answers.get("/props")):
            yield Finding("provider", "note", f"{asked.name}: this model sees no tools")


def _unheard(setup: Setup) -> str:
    proxies = [one.variable for one in setup.network if one.variable.lower() in _PROXIES]
    if proxies:
        return f"Asked without the proxy of {proxies[0]}, through which the daemon goes."
    return "Is it running? Check its base_url."


async def _nobody() -> None:
    """Return None, for a provider that is not queried."""


async def _servers() -> AsyncIterator[Finding]:
    """Yield the model servers found on this machine."""
    from palaver.clock import SystemClock
    from palaver.setup.servers import find_servers

    for server in await find_servers(SystemClock()):
        models = ", ".join(model.id for model in server.models) or "no model that talks"
        text = f"{server.kind} at {server.address}: {models}"
        yield Finding("server", "note", text, "Open  palaver  and press Enter to use it.")


def _terminal() -> Finding:
    if not sys.stdout.isatty():
        return Finding("terminal", "note", "the output is not a terminal")
    columns, rows = shutil.get_terminal_size()
    colors = os.environ.get("COLORTERM") or os.environ.get("TERM", "unknown")
    encoding = sys.stdout.encoding.lower()
    text = f"{columns}x{rows}, {colors}, {encoding}"
    if "utf" not in encoding:
        return Finding("terminal", "note", text, "Frames need UTF-8: set LANG, for example C.UTF-8")
    if columns < 60 or rows < 16:
        return Finding("terminal", "note", text, "The interface wants 60x16 or more.")
    return Finding("terminal", "ok", text)

"""Setup while no model can be used: servers on this machine, keys that the daemon lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palaver.client import Endpoint, PalaverError
from palaver.clock import Clock
from palaver_tui.session.restarts import Restarts
from palaver_tui.session.store import Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.first_run import FirstRun, Help, first_run
from palaver_tui.timing import LOOK_AT_CAUSE_S, LOOK_FOR_SERVERS_S

if TYPE_CHECKING:
    from palaver.setup.local import LocalServer


@dataclass(frozen=True)
class SetupTools:
    """What a client can do about a missing model.

    `restart` stops the daemon and starts it with this process's `environment`; None if the client
    may not. `find_servers` probes the usual ports of this machine; None to probe nothing. `look`
    returns the state of the files that a connection to the daemon depends on: a failed attempt is
    repeated when it changes.
    """

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    restart: Callable[[], Awaitable[Endpoint]] | None = None
    find_servers: Callable[[], Awaitable[list[LocalServer]]] | None = None
    look: Callable[[], object] | None = None

    async def seen(self) -> object:
        """Return the current result of `look`, None without one."""
        return None if self.look is None else await asyncio.to_thread(self.look)

    async def changed_since(self, seen: object, clock: Clock) -> None:
        """Wait until the result of `look` differs from `seen`; forever without `look`."""
        if self.look is None:
            await asyncio.Future()
        while await self.seen() == seen:
            await clock.sleep(LOOK_AT_CAUSE_S)

    async def changed_within(self, seconds: float, seen: object, clock: Clock) -> None:
        """Wait until the result of `look` differs from `seen`, but at most `seconds`."""
        give_up = clock.monotonic() + seconds
        while clock.monotonic() < give_up and await self.seen() == seen:
            await clock.sleep(min(LOOK_AT_CAUSE_S, max(0.0, give_up - clock.monotonic())))


class Setup:
    """Finds out what is missing to use a model, and does what helps.

    Servers are searched and files written only if the daemon runs on this machine.
    """

    def __init__(
        self,
        store: Store,
        spawn: Spawn,
        restarts: Restarts,
        tools: SetupTools,
    ) -> None:
        self._store = store
        self._spawn = spawn
        self._restarts = restarts
        self._tools = tools
        self._servers: tuple[LocalServer, ...] = ()
        self._looking: asyncio.Task[None] | None = None
        self._doing: asyncio.Task[None] | None = None
        self._problem: str | None = None

    @property
    def state(self) -> FirstRun | None:
        """What is missing and what helps; None if a model can be used, or models are not known."""
        models = self._store.models
        if models is None:
            return None
        variables = self._tools.environment if self._tools.restart is not None else {}
        return first_run(
            models,
            self._servers,
            here=self._here,
            environment=[name for name, value in variables.items() if value],
        )

    def offers(self, help_: Help) -> bool:
        """Return whether `help_` is possible now, also if it is not the action of Enter."""
        state = self.state
        if state is None:
            return False
        return bool(state.keys) if help_ == "setup.restart" else state.can_write

    @property
    def _here(self) -> bool:
        server = self._store.server
        return server is None or server.socket is not None

    def learned(self) -> None:
        """Handle new models: show a problem once, search for servers if no model can be used."""
        models = self._store.models
        problem = models.setup.problem if models is not None and models.setup is not None else None
        if problem is not None and problem != self._problem:
            self._store.notice(f"{problem} What was in force before still is.", "error")
        elif problem is None and self._problem is not None:
            self._store.notice("config.toml is in order again, and in force.", "information")
        self._problem = problem
        find = self._tools.find_servers
        if find is None or not self._here or self.state is None:
            return
        if self._looking is None or self._looking.done():
            self._looking = self._spawn(self._restarts.run(partial(self._look, find)))

    async def _look(self, find: Callable[[], Awaitable[list[LocalServer]]], _failures: int) -> None:
        """Probe the ports until a server with models answers, or a model can be used."""
        while self.state is not None:
            self._servers = tuple(await find())
            self._store.changed()
            if any(server.models for server in self._servers):
                return
            await self._store.clock.sleep(LOOK_FOR_SERVERS_S)

    def write_config(self) -> None:
        """Write config.toml for the server that was found; the daemon notices and reads it."""
        state = self.state
        if state is not None and state.server is not None and state.path is not None:
            self._begin(self._write(Path(state.path), state.server))

    async def _write(self, path: Path, server: LocalServer) -> None:
        from palaver.setup.config_file import write_config
        from palaver.setup.local import example

        try:
            await asyncio.to_thread(write_config, path, example(server))
        except PalaverError as error:
            self._store.notice(str(error), "error")
        else:
            self._store.notice(f"Written: {path}. It is read in a moment.", "information")

    def restart(self) -> None:
        """Restart the daemon with the keys of this environment."""
        if self._tools.restart is not None:
            self._begin(self._start_anew(self._tools.restart))

    async def _start_anew(self, restart: Callable[[], Awaitable[Endpoint]]) -> None:
        self._store.notice("The daemon is started anew …", "information")
        try:
            await restart()
        except PalaverError as error:
            self._store.notice(str(error), "error")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start `work` unless other work is running: a second press of the key does nothing."""
        if self._doing is None or self._doing.done():
            self._doing = self._spawn(work)
        else:
            work.close()

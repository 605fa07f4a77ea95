"""The global options, and the connection to the daemon that they select."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Not at run time: pathlib takes a sixth of the time of `palaver --help`.
    from pathlib import Path

    from palaver.client import Endpoint
    from palaver.remote.servers import Server, Wanted

Connect = Callable[[], Awaitable["Endpoint"]]


@dataclass(frozen=True)
class Settings:
    """The global options. `connector` replaces the usual connection to a daemon.

    `workspace` is the directory named for new chats, `without_workspace` says that they have none.
    `wanted` is the selected server, None for the daemon of `data_dir`. `hint` is shown in an empty
    chat of an interface.
    """

    data_dir: Path
    config: Path | None = None
    wanted: Wanted | None = None
    debug: bool = False
    connector: Connect | None = None
    hint: str = ""
    workspace: str | None = None
    without_workspace: bool = False

    @cached_property
    def server(self) -> Server | None:
        """The selected server, None for the daemon of `data_dir`.

        Raises:
            PalaverError: there is no such server, or client.toml cannot be read.
        """
        # Resolved lazily: `palaver login` must work with a broken $PALAVER_SERVER, too.
        if self.wanted is None:
            return None
        from palaver.paths import client_config_path
        from palaver.remote.servers import choose

        return choose(self.wanted, client_config_path())

    @property
    def socket(self) -> Path | None:
        """The selected Unix socket on this machine, if any. Raises like `server`."""
        return self.server.socket if self.server is not None else None

    @property
    def remote(self) -> bool:
        """Whether the daemon is on another machine, or behind a TCP port. Raises like `server`.

        Commands for local processes and files do not apply to it.
        """
        return self.server is not None and self.server.socket is None

    def here(self, what: str) -> None:
        """Raise `PalaverError` if the daemon is elsewhere, so that `what` does not apply."""
        from palaver.client import PalaverError

        if self.remote:
            assert self.server is not None
            raise PalaverError(
                f"{what} is for a daemon on this machine, and this one is {self.server.place}."
                f" {self.server.there(what)}"
            )

    async def connect(self, *, asks: bool = True) -> Endpoint:
        """Return the endpoint of the daemon; start our own one if it does not run.

        Args:
            asks: ssh may prompt the user: no interface uses the terminal.

        Raises:
            PalaverError: the daemon could not be started or reached.
        """
        if self.connector is None and self.server is not None:
            # Imported here: it imports aiohttp, which `--help` does not need.
            from palaver.remote.endpoints import endpoint_of

            return await endpoint_of(self.server, asks=asks)
        return await self._start(self.data_dir)

    async def restart(self, *, force: bool = False) -> Endpoint:
        """Stop the running daemon, and start one with this process's environment.

        Raises:
            PalaverError: it is not managed from here; the message says by whom.
        """
        from palaver.client import PalaverError
        from palaver.clock import SystemClock
        from palaver.daemon_process import find, restart

        self.here("palaver daemon restart")
        clock = SystemClock()
        running = await find(self.data_dir, self.socket, clock)
        if running is not None:
            same = self.config is None
            return await restart(running, self._start, clock, force=force, same_config=same)
        if self.connector is None and self.socket is not None:
            raise PalaverError(f"No daemon runs at {self.socket}, and none is started there.")
        return await self._start(self.data_dir)

    async def _start(
        self,
        data_dir: Path,
        config: Path | None = None,
        instead: Callable[[], Awaitable[None]] | None = None,
    ) -> Endpoint:
        from palaver.clock import SystemClock
        from palaver.launch import ensure_daemon

        if self.connector is not None:
            if instead is not None:
                await instead()
            return await self.connector()
        return await ensure_daemon(
            data_dir, config=self.config or config, clock=SystemClock(), instead=instead
        )

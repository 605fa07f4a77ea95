"""What the options before the command say, and how it gets to a daemon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Not at run time: pathlib is a sixth of what `palaver --help` costs.
    from pathlib import Path

    from palaver.client import Endpoint
    from palaver.remote.servers import Server, Wanted

Connect = Callable[[], Awaitable["Endpoint"]]


@dataclass(frozen=True)
class Settings:
    """The options before the command. `connector` replaces the usual way to a daemon.

    `wanted` is what was said of the server, None for the daemon of `data_dir`. `hint` is what an
    interface says where nothing was said yet.
    """

    data_dir: Path
    config: Path | None = None
    wanted: Wanted | None = None
    debug: bool = False
    connector: Connect | None = None
    hint: str = ""

    @cached_property
    def server(self) -> Server | None:
        """The server that is wanted, None for the daemon of `data_dir`.

        Raises:
            PalaverError: there is no such server, or client.toml cannot be read.
        """
        # Read when it is needed: `palaver login` works with a broken $PALAVER_SERVER, too.
        if self.wanted is None:
            return None
        from palaver.paths import client_config_path
        from palaver.remote.servers import choose

        return choose(self.wanted, client_config_path())

    @property
    def socket(self) -> Path | None:
        """The socket on this machine that was named, if any. Raises like `server`."""
        return self.server.socket if self.server is not None else None

    @property
    def remote(self) -> bool:
        """Whether another machine's daemon is wanted, or one behind a port. Raises like `server`.

        What is done to processes and files on this machine is not done to that one.
        """
        return self.server is not None and self.server.socket is None

    def here(self, what: str) -> None:
        """Raise `PalaverError` where the daemon is not on this machine; `what` is not for it."""
        from palaver.client import PalaverError

        if self.remote:
            assert self.server is not None
            raise PalaverError(
                f"{what} is for a daemon on this machine, and this one is {self.server.place}."
                f" {self.server.there(what)}"
            )

    async def connect(self, *, asks: bool = True) -> Endpoint:
        """Return the endpoint of the daemon: a named one as it is, our own one running.

        Args:
            asks: ssh may ask the person for what it needs: nobody else has the terminal.

        Raises:
            PalaverError: it could not be started, or can not be reached in this way.
        """
        if self.connector is None and self.server is not None:
            # Imported here: it brings aiohttp, which `--help` does not need.
            from palaver.remote.endpoints import endpoint_of

            return await endpoint_of(self.server, asks=asks)
        return await self._start(self.data_dir)

    async def restart(self, *, force: bool = False) -> Endpoint:
        """End the daemon that runs, and start one with this process's environment.

        Raises:
            PalaverError: it may not be ended or started from here; the text says whose it is.
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

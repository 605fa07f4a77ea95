"""What the options before the command say, and how it gets to a daemon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Not at run time: pathlib is a sixth of what `palaver --help` costs.
    from pathlib import Path

    from palaver.client import Endpoint

Connect = Callable[[], Awaitable["Endpoint"]]


@dataclass(frozen=True)
class Settings:
    """The options before the command. `connector` replaces the usual way to a daemon.

    `hint` is what an interface says where nothing was said yet.
    """

    data_dir: Path
    config: Path | None = None
    socket: Path | None = None
    debug: bool = False
    connector: Connect | None = None
    hint: str = ""

    async def connect(self) -> Endpoint:
        """Return the endpoint of the daemon: a named one as it is, our own one running.

        Raises:
            PalaverError: it could not be started.
        """
        # Imported here: it brings aiohttp, which `--help` does not need.
        from palaver.client import Endpoint

        if self.connector is None and self.socket is not None:
            return Endpoint.unix(self.socket)
        return await self._start(self.data_dir)

    async def restart(self, *, force: bool = False) -> Endpoint:
        """End the daemon that runs, and start one with this process's environment.

        Raises:
            PalaverError: it may not be ended or started from here; the text says whose it is.
        """
        from palaver.client import PalaverError
        from palaver.clock import SystemClock
        from palaver.governing import find, restart

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

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
    """The options before the command. `connector` replaces the usual way to a daemon."""

    data_dir: Path
    config: Path | None = None
    socket: Path | None = None
    debug: bool = False
    connector: Connect | None = None

    async def connect(self) -> Endpoint:
        """Return the endpoint of the daemon: a named one as it is, our own one running.

        Raises:
            PalaverError: it could not be started.
        """
        # Imported here: these bring aiohttp, which `--help` does not need.
        from palaver.client import Endpoint
        from palaver.clock import SystemClock
        from palaver.launch import ensure_daemon

        if self.connector is not None:
            return await self.connector()
        if self.socket is not None:
            return Endpoint.unix(self.socket)
        return await ensure_daemon(self.data_dir, config=self.config, clock=SystemClock())

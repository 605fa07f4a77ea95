"""Run `palaver` commands as processes, in a data directory of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palaver.client import Client, Endpoint
from palaver.daemon_process import holder
from support.clock import PATIENCE_S
from support.forkserver import fork
from support.process import CONFIG, place


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Here:
    """Runs `palaver` commands for one data directory, and ends what they leave."""

    data_dir: Path

    @property
    def config(self) -> Path:
        return self.data_dir / "config.toml"

    async def __call__(self, *arguments: str, code: int = 0, **environment: str) -> Ended:
        process = await fork(
            *("palaver", "--data-dir", str(self.data_dir), *arguments),
            stdout=asyncio.subprocess.PIPE,
            environment=os.environ
            | {"PALAVER_CONFIG": str(self.config), "TZ": "UTC"}
            | environment,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        ended = Ended(process.returncode or 0, out.decode(), err.decode())
        assert ended.code == code, ended
        return ended

    async def status(self, code: int = 0) -> dict[str, Any]:
        status = json.loads((await self("daemon", "status", "--json", code=code)).out)
        assert isinstance(status, dict)
        return status

    def client(self) -> Client:
        return Client(Endpoint(socket=self.data_dir / "palaverd.sock"))


@asynccontextmanager
async def somewhere(config: str = CONFIG) -> AsyncIterator[Here]:
    """Create a data directory; a daemon that is left there is killed."""
    async with place(rate=300, config=config) as data_dir:
        yield Here(data_dir)
        pid = await asyncio.to_thread(holder, data_dir)
        if pid:
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE_S):
                while await asyncio.to_thread(holder, data_dir):
                    await asyncio.sleep(0.01)

"""A suite that never ends, with every kind of process running that tests start.

Run by `tests/process/test_killed_suite.py`, which kills it: pytest does not collect this file.
"""

import asyncio
import os
import subprocess
from pathlib import Path

from palaver.clock import SystemClock
from palaver.launch import ensure_daemon
from support import guardian
from support.process import place, started


async def test_that_is_still_running() -> None:
    async with (
        place() as forked,
        place() as other,
        place() as private,
        started(forked),
        started(other, forked=False),
    ):
        # It outlives its parent for an hour, and so does a tmux server.
        await ensure_daemon(private, config=private / "config.toml", clock=SystemClock())
        tmux = ["tmux", "-S", str(private / "tmux"), "new", "-d", "sleep 1000"]
        await asyncio.to_thread(subprocess.run, tmux, check=True)
        name = os.environ[guardian.VARIABLE]
        Path(os.environ["SAYS_HERE"]).write_text(name)
        await asyncio.Event().wait()

"""Processes that tests start end with the test run."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from support import endless_suite, guardian
from support.daemon import short_dir
from support.require import require

pytestmark = pytest.mark.process
BOUND_S = 60.0


@pytest.mark.parametrize("parts", [0, 1])
async def test_a_suite_that_is_killed_leaves_nothing_behind(parts: int) -> None:
    require("tmux")
    async with short_dir() as folder:
        await _killed(folder, parts)


async def _killed(folder: Path, parts: int) -> None:
    says = folder / "name"
    suite = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(parts)),
        endless_suite.__file__,
        env=os.environ | {"SAYS_HERE": str(says), "TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(BOUND_S):
            while not says.exists() or not says.read_text():
                assert suite.returncode is None, await suite.communicate()
                await asyncio.sleep(0.05)
        name = says.read_text()
        # A daemon and its fork server, two more, a tmux server and its command.
        assert len(guardian.started_by(name)) >= 6
    finally:
        suite.send_signal(signal.SIGKILL)
        await suite.communicate()
    async with asyncio.timeout(BOUND_S):
        while guardian.started_by(name):
            await asyncio.sleep(0.05)

"""Everything that a daemon's process logs is a line of JSON; each test starts a process."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from typing import Any

import msgspec
import pytest

from support.clock import PATIENCE_S

pytestmark = pytest.mark.process

BEFORE = """
import asyncio, gc, logging, sys, threading, warnings
import structlog
from palaverd.logs.output import configure_logs
configure_logs(debug=False)
log = structlog.get_logger("test")
"""


async def said_by(program: str) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BEFORE + program, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert out == b""
    return [msgspec.json.decode(line, type=dict[str, Any]) for line in err.splitlines()]


async def test_every_way_to_say_something_is_a_structured_line() -> None:
    lines = await said_by("""
logging.getLogger("aiohttp.server").error("Error handling %s", "x", exc_info=OSError("one"))
logging.getLogger("broken").error("%d", "no number")
logging.getLogger("quiet").info("nothing")
warnings.warn("two", stacklevel=1)
thread = threading.Thread(target=lambda: [][0])
thread.start()
thread.join()
class Bad:
    def __del__(self):
        raise ValueError("three")
Bad()
async def main():
    def fail():
        raise OSError("four\\nlines")
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0)
    task = asyncio.create_task(asyncio.sleep(0, 1 / 1))
    async def lost():
        raise KeyError("five")
    asyncio.create_task(lost())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
asyncio.run(main())
raise SystemError("six")
""")
    events = [line["event"].partition("\n")[0] for line in lines]
    assert events[0] == "Error handling x"
    assert events[1] == "%d"
    assert "two" in events[2]
    assert events[3] == "uncaught exception in a thread"
    assert events[4].startswith(("exception ignored", "Exception ignored"))
    assert events[5].startswith("Exception in callback")
    assert events[6].startswith("Task exception was never retrieved")
    assert events[7] == "uncaught exception"
    assert len(lines) == 8
    assert {line["level"] for line in lines} == {"warning", "error"}
    assert "SystemError: six" in lines[7]["exception"]


async def test_warnings_and_errors_that_repeat_are_left_out_and_counted_but_not_news() -> None:
    lines = await said_by("""
import time
for number in range(50):
    try:
        raise OSError(number)
    except OSError:
        log.exception("failed", chat="a")
    log.warning("failed", chat="b")
    log.info("news", number=number)
    logging.getLogger("asyncio").error("socket.accept() failed\\nsocket: %d", number)
time.sleep(1.1)
log.error("failed", chat="a", exc_info=OSError(50))
log.error("failed", chat="a", exc_info=KeyError(51))
""")
    assert sum(line["event"] == "news" for line in lines) == 50
    others = [line for line in lines if line["event"] != "news"]
    assert [line.get("chat") for line in others] == ["a", "b", None, "a", "a"]
    assert [line.get("left_out") for line in others] == [None, None, None, 49, None]


async def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    lines = await said_by("""
import os
kept = os.dup(2)
full = os.open("/dev/full", os.O_WRONLY)
os.dup2(full, 2)
log.error("lost")
os.dup2(kept, 2)
log.error("there again")
""")
    assert lines[-1]["event"] == "there again"

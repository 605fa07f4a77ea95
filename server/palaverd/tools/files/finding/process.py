"""Start the process that looks, and take its answer."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.orders import Answer, ListFiles, Order, SearchFiles
from palaverd.tools.files.finding.timing import GRACE_S
from palaverd.tools.workspace import Workspace

# Seconds. Trees with a million files are walked in ten on a common disk.
LOOK_S = 20.0
# Until the process has started, from where on it ends itself, and for its answer to be read.
_AROUND_S = 60.0
RIPGREP = "rg"
_MODULE = "palaverd.tools.files.finding"


class Broken(Exception):
    """The process ended without an answer: a bug."""


async def look(
    workspace: Workspace,
    asked: ListFiles | SearchFiles,
    *,
    ripgrep: str | None = RIPGREP,
    seconds: float = LOOK_S,
) -> str:
    """Return what the process found, as a text for the model. `ripgrep` is the name or path of
    its program; None: it is not to be used.

    Raises:
        ToolError: nothing was looked for, or the time was up.
        Broken: the process failed.
    """
    order = Order(os.fsencode(workspace.path), asked, seconds, ripgrep)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        _MODULE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env=_environment(),
        cwd="/",
    )
    try:
        async with asyncio.timeout(seconds + GRACE_S + _AROUND_S):
            written, complaint = await process.communicate(msgspec.json.encode(order))
    except TimeoutError:
        raise ToolError(_late(seconds)) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode == -signal.SIGALRM:
        raise ToolError(_late(seconds))
    if process.returncode != 0:
        raise Broken(f"{process.returncode}: {complaint[-2000:].decode('utf-8', 'replace')}")
    answer = msgspec.json.decode(written, type=Answer)
    if answer.is_error:
        raise ToolError(answer.text)
    return answer.text


def _environment() -> dict[str, str]:
    """Return what the process needs to find ripgrep, and none of the daemon's secrets."""
    return {"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)}


def _late(seconds: float) -> str:
    return f"Nothing was found in {seconds:g} s, and the search was ended: narrow it."

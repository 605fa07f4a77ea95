"""Call the tools that look into a workspace."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from palaver.clock import SystemClock
from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.__main__ import answer
from palaverd.tools.files.finding.orders import ListFiles, Order, SearchFiles
from palaverd.tools.files.finding.process import RIPGREP
from palaverd.tools.running import Running
from palaverd.tools.workspace import Workspace
from support.require import require


def running(root: Path, *, budget: int = 64 * 1024, sees: bool = False) -> Running:
    return Running(
        chat_id="c",
        call_id="one",
        workspace=Workspace(root),
        budget=budget,
        folder=root.parent / "calls" / "c" / "one",
        say=lambda text: None,
        clock=SystemClock(),
        sees=sees,
    )


def plant(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a directory, which is made."""
    for path, content in files.items():
        at = root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


async def listed(root: Path, asked: ListFiles | None = None) -> str:
    """List as the process does it, in this one."""
    return await _answered(root, asked or ListFiles(), None)


async def names(root: Path, asked: ListFiles | None = None) -> list[str]:
    """Return the entries, without the notes behind them."""
    lines = (await listed(root, asked)).splitlines()
    return [line for line in lines if not line.startswith("[")]


async def searched(root: Path, asked: SearchFiles, *, ripgrep: bool | str = False) -> str:
    """Search as the process does it, in this one: by Python's engine, or by ripgrep, which is
    required then.
    """
    if ripgrep is True:
        require("ripgrep")
    program = ripgrep if isinstance(ripgrep, str) else RIPGREP if ripgrep else None
    return await _answered(root, asked, program)


async def _answered(root: Path, asked: ListFiles | SearchFiles, ripgrep: str | None) -> str:
    order = Order(os.fsencode(root), asked, 0, ripgrep)
    found = await asyncio.to_thread(answer, order)
    if found.is_error:
        raise ToolError(found.text)
    return found.text

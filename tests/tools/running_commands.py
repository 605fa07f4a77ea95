"""A workspace, and calls of the command tools in it, as a daemon's steps make them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from palaver.clock import Clock, SystemClock
from palaverd.tools.commands.environment import environment_of
from palaverd.tools.commands.execute import EXECUTE, Execute
from palaverd.tools.commands.process_tools import (
    PROCESS_LIST,
    PROCESS_OUTPUT,
    PROCESS_SIGNAL,
)
from palaverd.tools.commands.records import Record
from palaverd.tools.commands.registry import Claim, Commands, Key
from palaverd.tools.running import Running
from palaverd.tools.tool import Actor, Intent, Outcome, Reader
from palaverd.tools.workspace import Workspace
from support.clock import PATIENCE_S

BUDGET = 16 * 1024
TOOLS: dict[str, Actor[Any] | Reader[Any]] = {
    tool.name: tool for tool in (EXECUTE, PROCESS_OUTPUT, PROCESS_LIST, PROCESS_SIGNAL)
}


class Bench:
    """The calls of a chat. `commands` are those of a daemon, which `restart` replaces."""

    def __init__(self, folder: Path, clock: Clock, base: Mapping[str, str]) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        self.clock = clock
        self.said: list[str] = []
        self._base = base
        self.commands = self._make()

    def _make(self) -> Commands:
        return Commands(
            self.folder / "commands",
            self.folder / "calls",
            self.clock,
            lambda: environment_of(self._base, ["CHOSEN_KEY"]),
        )

    def restart(self) -> None:
        """Go on as another daemon would after a crash of this one: nothing is told or ended."""
        for command in self.commands._commands.values():
            command.close()
        self.commands = self._make()

    def running(self, call_id: str = "one", chat_id: str = "c", **changes: Any) -> Running:
        running = Running(
            chat_id=chat_id,
            call_id=call_id,
            workspace=Workspace(self.root),
            budget=BUDGET,
            folder=self.folder / "calls" / chat_id / call_id,
            say=self.said.append,
            clock=self.clock,
            processes=self.commands,
        )
        return msgspec.structs.replace(running, **changes)

    async def intend(self, command: str, call_id: str = "one", **given: Any) -> Intent:
        given.setdefault("timeout", PATIENCE_S)
        return await EXECUTE.intend(self.running(call_id), Execute(command, **given))

    async def execute(self, command: str, call_id: str = "one", **given: Any) -> Outcome:
        return await (await self.intend(command, call_id, **given)).act()

    async def call(self, name: str, arguments: str, chat_id: str = "c") -> Outcome:
        tool, running = TOOLS[name], self.running("other", chat_id)
        given = tool.read(arguments)
        if isinstance(tool, Reader):
            return await tool.look(running, given)
        return await (await tool.intend(running, given)).act()

    async def began(self, name: str = "began") -> str:
        """Wait until a command has written to a file of the workspace; return that."""
        path = self.root / name
        await eventually(lambda: path.exists() and path.read_text().endswith("\n"))
        return path.read_text().strip()


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def runs(pid: int | str) -> bool:
    """Whether a process runs; one that is dead and not reaped does not."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return said.rpartition(")")[2].split()[0] not in "ZX"


def claimed(claim: Claim) -> Callable[[Sequence[Record]], Awaitable[Mapping[Key, Claim]]]:
    """Return a judge of what another daemon left, that says this of everything."""

    async def judge(records: Sequence[Record]) -> Mapping[Key, Claim]:
        return {record.key: claim for record in records}

    return judge


@asynccontextmanager
async def bench(
    folder: Path, clock: Clock | None = None, base: Mapping[str, str] | None = None
) -> AsyncIterator[Bench]:
    one = Bench(folder, clock or SystemClock(), os.environ if base is None else base)
    try:
        yield one
    finally:
        await one.commands.stop()

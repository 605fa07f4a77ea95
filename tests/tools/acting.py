"""Tools for tests: one with effects that writes what happens to it, and one that only looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.running import Running
from palaverd.tools.tool import (
    Actor,
    Asker,
    Found,
    Intent,
    Outcome,
    Reader,
    Tool,
    Unknown,
    reading,
    telling,
)


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which one."""

    name: str = "one"


class Stage:
    """What happens to the calls of its tools, in order.

    `held` calls wait, after they began, until `release` is set. `known` is what `find` returns.
    """

    def __init__(self, known: Callable[[Named], Found] | None = None) -> None:
        self.said: list[str] = []
        self.held: set[str] = set()
        self.release = asyncio.Event()
        self._known = known or (lambda _: Unknown("Nobody knows."))

    @property
    def tools(self) -> list[Tool]:
        act: Actor[Named] = Actor(
            "act",
            telling("act", "Has an effect.", Named),
            reading("act", Named),
            self._intend,
            self._find,
        )
        look: Reader[Named] = Reader(
            "look", telling("look", "Looks.", Named), reading("look", Named), self._look
        )
        ask: Asker[Named] = Asker(
            "ask", telling("ask", "Asks.", Named), reading("ask", Named), exclusive=True
        )
        return [act, look, ask]

    async def _look(self, _running: Running, given: Named) -> Outcome:
        return await self._run("look", given)

    async def _intend(self, running: Running, given: Named) -> Intent:
        if given.name == "refused":
            raise ToolError("This is refused.")

        async def act() -> Outcome:
            running.say(f"acting on {given.name}")
            return await self._run("act", given)

        return Intent(act, trace=f'"{given.name}"')

    async def _find(self, _running: Running, given: Named, trace: str | None) -> Found:
        self.said.append(f"find {given.name} by {trace}")
        return self._known(given)

    async def _run(self, what: str, given: Named) -> Outcome:
        self.said.append(f"{what} {given.name} began")
        if given.name in self.held:
            await self.release.wait()
        if given.name == "broken":
            raise ZeroDivisionError("a bug")
        self.said.append(f"{what} {given.name} ended")
        return Outcome(f"{what} {given.name}")

"""What a chat's model is told of where it works. It is the same for all steps of a turn."""

from __future__ import annotations

import asyncio
import platform
from collections import OrderedDict
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import structlog

from palaver.clock import Clock, deadline
from palaverd.generation.instructions import Instructions, read_branch, read_instructions
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.rows import ChatRow

# Seconds for which instruction files are not read again: long enough for a series of turns, short
# enough for somebody who edits one and tries it.
KEPT_S: Final = 300.0
# Seconds to read them, after which the answer begins without: a network drive may hang.
READ_S: Final = 5.0
# Turns and directories that are kept. A chat beyond is read anew.
MOST: Final = 64

log = structlog.get_logger("palaverd.generation")


class Surroundings(msgspec.Struct, frozen=True):
    """The instruction files, and the facts of a turn: its day, the platform, the git branch."""

    today: date
    platform: str
    instructions: tuple[Instructions, ...] = ()
    branch: str | None = None


class _Found(msgspec.Struct, frozen=True):
    instructions: tuple[Instructions, ...] = ()
    branch: str | None = None


class _Place(msgspec.Struct):
    """A directory, as an owner may see it: `read_at` (monotonic) is None before the first time."""

    lock: asyncio.Lock
    read_at: float | None = None
    instructions: tuple[Instructions, ...] = ()


class _OfTurn(msgspec.Struct, frozen=True):
    """What was found for the turn that began in this snapshot, in this directory."""

    turn_version: int
    workspace: str | None
    surroundings: Surroundings


class SurroundingsReader:
    """Reads surroundings, and keeps them for each turn.

    `config_folder` is where the configuration is; None: there is none.
    """

    def __init__(self, clock: Clock, config_folder: Path | None = None) -> None:
        self._clock = clock
        self._config_folder = config_folder
        self._platform = f"{platform.system()}, {platform.machine()}"
        self._places: OrderedDict[tuple[bool, str | None], _Place] = OrderedDict()
        self._turns: OrderedDict[str, _OfTurn] = OrderedDict()

    async def of(self, row: ChatRow, today: date) -> Surroundings:
        """Return the surroundings of a chat's turn; `today` is the day on which it began.

        A daemon that was restarted meanwhile reads them anew.
        """
        kept = self._turns.get(row.chat_id)
        turn = row.turn_version, row.workspace_path
        if kept is not None and (kept.turn_version, kept.workspace) == turn:
            return kept.surroundings
        found = await self._find(row.workspace_path, local=row.owner == LOCAL_OWNER)
        surroundings = Surroundings(today, self._platform, found.instructions, found.branch)
        self._turns[row.chat_id] = _OfTurn(*turn, surroundings)
        self._turns.move_to_end(row.chat_id)
        _shorten(self._turns)
        return surroundings

    async def _find(self, workspace: str | None, *, local: bool) -> _Found:
        if workspace is None and (self._config_folder is None or not local):
            return _Found()
        place = self._places.setdefault((local, workspace), _Place(asyncio.Lock()))
        self._places.move_to_end((local, workspace))
        _shorten(self._places)
        # One after another: where a drive hangs, one thread hangs for all its chats.
        async with place.lock:
            now = self._clock.monotonic()
            fresh = place.read_at is not None and now - place.read_at < KEPT_S
            kept = place.instructions if fresh else None
            try:
                async with deadline(self._clock, READ_S):
                    found = await asyncio.to_thread(self._read, workspace, local, kept)
            except (TimeoutError, OSError) as error:
                log.warning("instruction files not read", workspace=workspace, error=str(error))
                found = _Found(kept or ())
            if not fresh:
                place.read_at, place.instructions = now, found.instructions
        return found

    def _read(
        self, workspace: str | None, local: bool, kept: tuple[Instructions, ...] | None
    ) -> _Found:
        path = None if workspace is None else Path(workspace)
        if kept is None:
            kept = read_instructions(self._config_folder, path, local=local)
        return _Found(kept, None if path is None else read_branch(path, local=local))


def _shorten(
    kept: OrderedDict[str, _OfTurn] | OrderedDict[tuple[bool, str | None], _Place],
) -> None:
    while len(kept) > MOST:
        kept.popitem(last=False)

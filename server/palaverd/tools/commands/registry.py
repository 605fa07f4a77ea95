"""All commands of this daemon: what runs, under which name, and when it has to end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from palaver.clock import Clock, deadline
from palaverd.logs.bugs import log_bug
from palaverd.tools.commands.call_files import CallFiles, Nothing, Order, Runs, Vanished
from palaverd.tools.commands.command import HARD_S, Command
from palaverd.tools.commands.processes import MARK, boot_id
from palaverd.tools.commands.records import Record, Records

log = structlog.get_logger("palaverd.tools")

# Why a command was ended, as the model reads it.
STOPPED = "the call was stopped"
SHUT_DOWN = "the daemon was stopped"
ARCHIVED = "the chat was archived"
DELETED = "the chat was deleted"
UNOWNED = "the daemon had crashed, and no chat waited for it"

# Seconds that the next tools of a chat wait for its commands that are ending.
GONE_S = 2.0
# Seconds for all commands to end when the daemon stops: `end` takes 2 at most.
ALL_GONE_S = HARD_S + 1.0

Key = tuple[str, str]
# Of a command that an earlier daemon left: its chat wants it, does not, or is gone.
Claim = Literal["wanted", "unwanted", "gone"]


class Commands:
    """The commands that run, and those with a name, by chat and call.

    Args:
        folder: where the records are kept.
        calls: the folder with those of the calls, by chat and call.
        environment: returns the environment of a command that begins now.
        umask: of what commands make.
    """

    def __init__(
        self,
        folder: Path,
        calls: Path,
        clock: Clock,
        environment: Callable[[], Mapping[str, str]],
        umask: int = 0o022,
    ) -> None:
        self._records = Records(folder)
        self._calls = calls
        self._clock = clock
        self._environment = environment
        self._umask = umask
        self._commands: dict[Key, Command] = {}
        self._ending: dict[Command, asyncio.Task[None]] = {}
        self._deleting: set[asyncio.Task[None]] = set()
        self._stopping = False

    def now_ms(self) -> int:
        """Return the wall-clock time in milliseconds since the epoch."""
        return int(self._clock.now().timestamp() * 1000)

    # --- one command --------------------------------------------------------------------------

    async def start(
        self, record: Record, arguments: Sequence[str], directory: Path, *, named: bool
    ) -> Command:
        """Start a command. One that is `named` goes on beside the chat.

        Raises:
            OSError: it cannot be started.
        """
        if named:
            record = self._named(record)
        command = self._add(record)
        environment = {**self._environment(), MARK: str(command.files.folder)}
        order = Order(list(arguments), directory, self._umask)
        try:
            await asyncio.to_thread(self._records.write, record)
            await command.start(order, environment)
        except OSError:
            self._commands.pop(record.key, None)
            await asyncio.to_thread(self._records.remove, record)
            raise
        return command

    async def attach(self, record: Record) -> Command:
        """Return the command of a call that an earlier daemon, or an earlier task, started."""
        command = self._commands.get(record.key) or self._add(record)
        await command.attach()
        return command

    def find(self, chat_id: str, name: str) -> Command | None:
        """Return the command with a name in a chat."""
        return next((one for one in self.named(chat_id) if one.record.name == name), None)

    def of(self, key: Key) -> Command | None:
        """Return the command of a call, if it runs or has a name."""
        return self._commands.get(key)

    def named(self, chat_id: str) -> list[Command]:
        """Return a chat's commands that go on, or went on, beside it; oldest first."""
        return [one for one in self._of_chat(chat_id) if one.record.name is not None]

    async def name(self, command: Command) -> str:
        """Let a command go on beside the chat; return its name."""
        if command.record.name is None:
            command.record = self._named(command.record)
            await asyncio.to_thread(self._records.write, command.record)
        assert command.record.name is not None
        return command.record.name

    async def forget(self, command: Command) -> None:
        """Drop a command whose result is known, unless it has a name."""
        if command.record.name is None:
            command.close()
            self._commands.pop(command.record.key, None)
            await asyncio.to_thread(self._records.remove, command.record)

    def files_of(self, chat_id: str, call_id: str) -> CallFiles:
        """Return the files of a call."""
        return CallFiles(self._calls / chat_id / call_id)

    def end(self, command: Command, reason: str) -> None:
        """Have a command end, in a task of its own: the caller may be cancelled, and not wait."""
        if command in self._ending:
            return
        command.reason = SHUT_DOWN if self._stopping else reason

        async def work() -> None:
            try:
                await command.end()
                await self.forget(command)
            except Exception as error:  # noqa: BLE001 - a disk that fails, say; the daemon goes on
                await log_bug(log, "command not ended", error, chat=command.record.chat_id)
            finally:
                self._ending.pop(command, None)

        self._ending[command] = asyncio.create_task(work())

    # --- the commands of a chat ---------------------------------------------------------------

    def end_others(self, chat_id: str, calls: Collection[str]) -> None:
        """End commands in the foreground that belong to none of the calls: nobody waits."""
        for command in self._of_chat(chat_id):
            if command.record.name is None and command.record.call_id not in calls:
                self.end(command, STOPPED)

    def end_chat(self, chat_id: str, reason: str) -> None:
        """End all commands of a chat that still run."""
        for command in self._of_chat(chat_id):
            if not command.over.is_set():
                self.end(command, reason)

    def delete_chat(self, chat_id: str) -> None:
        """End all commands of a chat, then remove what they left: output, records."""
        self.end_chat(chat_id, DELETED)
        ending = self._ending_of(chat_id)

        async def work() -> None:
            await self._ended(ending, ALL_GONE_S)
            for command in self._of_chat(chat_id):
                command.close()
                self._commands.pop(command.record.key)
                await asyncio.to_thread(self._records.remove, command.record)
            await asyncio.to_thread(shutil.rmtree, self._calls / chat_id, ignore_errors=True)

        task = asyncio.create_task(work())
        self._deleting.add(task)
        task.add_done_callback(self._deleting.discard)

    async def gone(self, chat_id: str) -> None:
        """Wait until the commands of a chat that are ending are gone, at most `GONE_S`."""
        await self._ended(self._ending_of(chat_id), GONE_S)

    # --- the daemon ---------------------------------------------------------------------------

    async def recover(
        self, judge: Callable[[Sequence[Record]], Awaitable[Mapping[Key, Claim]]]
    ) -> None:
        """Attach to commands of an earlier daemon, and end those that no chat waits for.

        Args:
            judge: returns whether chats still want their commands.
        """
        records = await asyncio.to_thread(self._records.all)
        claims = await judge(records) if records else {}
        for record in records:
            command = self._add(record)
            state = await command.attach()
            if isinstance(state, Vanished):
                await command.clean()
            if not isinstance(state, Runs | Nothing):
                await self.forget(command)  # its chat finds what came of it in its files
            elif claims[record.key] != "wanted":
                log.info("command ended that nobody waits for", chat=record.chat_id)
                self.end(command, UNOWNED)
        for chat_id in {chat_id for (chat_id, _), claim in claims.items() if claim == "gone"}:
            self.delete_chat(chat_id)

    def closing(self) -> None:
        """From now on commands end because the daemon stops."""
        self._stopping = True

    async def stop(self) -> None:
        """End all commands."""
        self.closing()
        for command in list(self._commands.values()):
            if not command.over.is_set():
                self.end(command, SHUT_DOWN)
        await self._ended([*self._ending.values(), *self._deleting], ALL_GONE_S)
        for command in self._commands.values():
            command.close()

    async def _ended(self, tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
        if not tasks:
            return
        try:
            async with deadline(self._clock, seconds):
                await asyncio.wait(tasks)
        except TimeoutError:
            log.warning("commands go on", commands=len(tasks))

    def _ending_of(self, chat_id: str) -> list[asyncio.Task[None]]:
        return [task for one, task in self._ending.items() if one.record.chat_id == chat_id]

    def _of_chat(self, chat_id: str) -> list[Command]:
        return [one for one in self._commands.values() if one.record.chat_id == chat_id]

    def _named(self, record: Record) -> Record:
        """Return the record with the next name of its chat: p1, p2, …"""
        names = [one.record.name or "p0" for one in self.named(record.chat_id)]
        number = 1 + max((int(name[1:]) for name in names), default=0)
        return msgspec.structs.replace(record, name=f"p{number}")

    def _add(self, record: Record) -> Command:
        files = self.files_of(record.chat_id, record.call_id)
        command = Command(record, files, self._clock)
        self._commands[record.key] = command
        return command

    async def record(self, chat_id: str, call_id: str, text: str) -> Record:
        """Return the record of a command that is to begin now, in the foreground."""
        boot = await asyncio.to_thread(boot_id)
        return Record(chat_id, call_id, text, self.now_ms(), boot)

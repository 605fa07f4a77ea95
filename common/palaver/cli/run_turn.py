"""The work of `palaver run`: send, follow the turn to its end, report how it ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

import msgspec

from palaver.cli import exits, output, words
from palaver.cli.attachments import send_files
from palaver.cli.chat_marks import shown
from palaver.cli.ids import find_id
from palaver.cli.result import Result, exit_code, failure_result, sentence, turn_result
from palaver.cli.runtime import connected, patient
from palaver.cli.settings import Settings
from palaver.cli.turn import Turn
from palaver.cli.workspaces import check_modes, set_up, wanted_workspace
from palaver.client import Client, PalaverError, Progress
from palaver.wire.chats import CreateChat, Interrupt, Mode, SendMessage, Sent
from palaver.wire.events import RetryEvent, StreamEvent
from palaver.wire.protocol import MESSAGE_KEYS


@dataclass(frozen=True)
class Asked:
    """The arguments of `palaver run`."""

    content: str
    model: str | None
    chat_id: str | None
    attached: tuple[str, ...]
    mode: Mode | None
    workspace: str | None
    without_workspace: bool
    as_json: bool
    detach: bool


async def ask(settings: Settings, asked: Asked) -> int:
    """Send the message, print the answer, and return the exit code. Raises `PalaverError`."""
    sent: Sent | None = None
    try:
        async with connected(settings) as client:
            sent = await _send(client, settings, asked)
            if asked.detach:
                _print_detached(sent, asked)
                return exits.FINISHED
            return await _answer(client, settings, sent, asked)
    except PalaverError as error:
        if asked.as_json:
            failure_result(sent.chat.id if sent else None, error).write()
        raise
    except output.OutputError:
        if sent is not None:
            words.notice(f"Chat {sent.chat.id} goes on; to see it:  palaver show {sent.chat.id}")
        raise


async def _send(client: Client, settings: Settings, asked: Asked) -> Sent:
    if asked.chat_id is None:
        wanted = wanted_workspace(settings, asked.workspace, without=asked.without_workspace)
        workspace = wanted.of(await client.meet())
        files = await send_files(client, asked.attached)
        chat = CreateChat(asked.content, model=asked.model, workspace=workspace, files=files)
        if asked.mode is not None:
            await check_modes(client)
            chat = msgspec.structs.replace(chat, mode=asked.mode)
        return await client.create_chat(chat)
    chat_id = await find_id(client, asked.chat_id)
    await set_up(client, settings, chat_id, asked.mode, asked.workspace)
    files = await send_files(client, asked.attached)
    return await client.send(chat_id, SendMessage(asked.content, model=asked.model, files=files))


def _print_detached(sent: Sent, asked: Asked) -> None:
    if asked.as_json:
        Result(sent.chat.id).write()
    else:
        output.write_line(sent.chat.id)


async def _answer(client: Client, settings: Settings, sent: Sent, asked: Asked) -> int:
    chat_id = sent.chat.id
    turn = Turn(sent)
    if turn.queued:
        await _tells_queued(client, chat_id)
        words.notice("The chat is busy: the message waits in its queue.")
    progress = Progress(since=sent.chat.versions.snapshot) if asked.chat_id else None
    answer = _Output(as_json=asked.as_json)
    with _interrupts(client, chat_id, turn) as stopping:
        try:
            async with aclosing(
                patient(client.stream(chat_id, progress=progress), settings)
            ) as batches:
                async for events in batches:
                    for event in events:
                        answer.event(event, turn.take(event))
                    if turn.outcome is not None:
                        break
        except asyncio.CancelledError:
            # A second Ctrl-C, or one with nothing to stop; re-raise any other cancellation.
            if not stopping.left:
                raise
            answer.end()
            words.notice(f"Left chat {chat_id}, which goes on without this command.")
            return exits.INTERRUPTED
    answer.end()
    if turn.read_to is not None and not asked.as_json:
        await shown(client, chat_id, turn.read_to)
    if asked.as_json:
        turn_result(chat_id, turn).write()
    said = sentence(chat_id, turn)
    if said is not None:
        words.failure(said)
    return exit_code(turn)


async def _tells_queued(client: Client, chat_id: str) -> None:
    """Check that the daemon reports which message of history a queued one became.

    Raises:
        PalaverError: it is too old for that; the message stays in the queue.
    """
    if MESSAGE_KEYS not in (await client.meet()).capabilities:
        raise PalaverError(
            f"The message waits in the queue of chat {chat_id}, which is busy. Its daemon is of an"
            " older version and does not tell which answer is its own; to read along: "
            f" palaver tail {chat_id}"
        )


class _Output:
    """Writes the answer's text, or every event as a line of JSON; waits go to stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._open_line = False

    def event(self, event: StreamEvent, text: str) -> None:
        if self._as_json:
            output.write_json(event)
        elif text:
            output.write(text)
            self._open_line = not text.endswith("\n")
        if isinstance(event, RetryEvent) and event.retry is not None and not self._as_json:
            retry = event.retry
            self.end()
            words.notice(f"{retry.error.message} ({words.following(retry)})")

    def end(self) -> None:
        """Finish the current line."""
        if self._open_line:
            output.write("\n")
            self._open_line = False


class _Stopping:
    """The Ctrl-C handler: the first one interrupts the turn, the second one leaves."""

    def __init__(self, client: Client, chat_id: str, turn: Turn) -> None:
        self.left = False
        self._client = client
        self._chat_id = chat_id
        self._turn = turn
        self._following = asyncio.current_task()
        self._stop: asyncio.Task[None] | None = None

    def pressed(self) -> None:
        # A queued message has no turn to interrupt; the current turn belongs to another message.
        if self._stop is None and not self._turn.queued and self._turn.turn_version is not None:
            self._stop = asyncio.create_task(self._interrupt(self._turn.turn_version))
        else:
            self._leave()

    async def _interrupt(self, turn_version: int) -> None:
        words.notice("Stopping … (^c again to leave at once)")
        try:
            await self._client.interrupt(self._chat_id, Interrupt(turn_version))
        except PalaverError as error:
            words.failure(str(error))
            self._leave()

    def _leave(self) -> None:
        self.left = True
        if self._following is not None:
            self._following.cancel()

    def close(self) -> None:
        if self._stop is not None:
            self._stop.cancel()


@contextmanager
def _interrupts(client: Client, chat_id: str, turn: Turn) -> Iterator[_Stopping]:
    """Handle Ctrl-C within a `with` block. asyncio's own handler would cancel everything."""
    loop = asyncio.get_running_loop()
    stopping = _Stopping(client, chat_id, turn)
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, stopping.pressed)
    try:
        yield stopping
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
        stopping.close()

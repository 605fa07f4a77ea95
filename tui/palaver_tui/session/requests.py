"""Requests of the user about a chat: stop, retry, model, archive, history, queue.

Each method takes the chat's view at the time of the user's decision, starts its request and
returns; the effects arrive through the stream. A refusal or a missing response is shown as a
notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from palaver.client import PalaverError
from palaver.client.pages import messages_after
from palaver.wire.actions import Answers, CallAnswer, ClearContext, EditMessage, Fork
from palaver.wire.chats import Chat, Interrupt, SendMessage
from palaver.wire.messages import QueuedMessage
from palaver.wire.queue import (
    ChangeChat,
    EditQueued,
    Promote,
    QueueOrder,
    Resume,
    SkipBackoff,
)
from palaver_tui.session.store import Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.chat import ChatView
from palaver_tui.state.dropped_messages import Counted, Dropped, in_words, is_read
from palaver_tui.state.questions import answered_elsewhere

if TYPE_CHECKING:
    from palaver.client import Client

# Who answered a call that was cancelled, in the daemon's words.
CANCELLED = "cancelled"
ANSWER_LENGTH = 80  # characters of another client's answer in a notice

Told = Callable[[Chat], None]
Done = Callable[[], None]
Failed = Callable[[], None]
Ask = Callable[["Client", str], Awaitable[str | None]]


class Requests:
    """Sends the requests of a session. None is about the current chat unless its view is passed."""

    def __init__(self, store: Store, spawn: Spawn) -> None:
        self._store = store
        self._spawn = spawn
        self._answered: set[str] = set()  # ids of the calls that this client has answered

    def _ask(self, view: ChatView, ask: Ask, failed: Failed | None = None) -> None:
        if view.chat_id is not None:
            self._ask_about(view.chat_id, ask, failed)

    def _ask_about(self, chat_id: str, ask: Ask, failed: Failed | None) -> None:
        client = self._store.client
        if client is not None:
            self._spawn(self._run(ask, client, chat_id, failed))
            return
        self._store.notice("There is no connection to the daemon yet.", "warning")
        if failed is not None:
            failed()

    async def _run(self, ask: Ask, client: Client, chat_id: str, failed: Failed | None) -> None:
        """Send a request; show a notice with the words that `ask` returns, or with the error."""
        try:
            words = await ask(client, chat_id)
        except PalaverError as error:
            self._store.notice(str(error), "error")
            if failed is not None:
                failed()
            return
        except Exception:
            if failed is not None:
                failed()  # a bug of the client must not lose the text of a request
            raise
        if words:
            self._store.notice(words, "information")

    # --- the current turn -------------------------------------------------------------------

    def stop(self, view: ChatView) -> None:
        """Interrupt the current turn, and hold the queue."""
        request = Interrupt(turn_version=_turn(view), hold_queue=True)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.interrupt(chat_id, request)
            if not answer.changed:
                return answer.reason or "There was nothing left to stop."
            return "Stopped. What was written so far is kept."

        self._ask(view, ask)

    def answer(self, view: ChatView, call_id: str, text: str, failed: Failed) -> None:
        """Answer a question; `failed` is called if this did not become its answer."""
        request = Answers(_turn(view), [CallAnswer(call_id, text=text)])
        key = uuid4().hex
        self._answered.add(call_id)

        async def ask(client: Client, chat_id: str) -> str | None:
            answered = await client.answer_calls(chat_id, request, key=key)
            if not answered.lost:
                return None
            failed()
            user = self._store.info.user if self._store.info is not None else None
            return _lost_words(answered.lost[0].answered_by, user)

        self._ask(view, ask, failed)

    def say_answered(self, before: ChatView, after: ChatView) -> None:
        """Show a notice if a question that was open here was answered by another client."""
        found = answered_elsewhere(before, after) if before.attached else None
        if found is not None and found[0] not in self._answered:
            words = " ".join(found[1].split())
            words = words if len(words) <= ANSWER_LENGTH else f"{words[:ANSWER_LENGTH]}…"
            self._store.notice(
                f"The question was answered by another client: {words}", "information"
            )

    def resume(self, view: ChatView, at: datetime | None = None) -> None:
        """Retry the failed turn, now or at a time."""
        request = Resume(turn_version=_turn(view), at=at)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.resume(chat_id, request)
            return None if answer.changed else answer.reason

        self._ask(view, ask)

    def skip_backoff(self, view: ChatView) -> None:
        """Run a waiting retry now."""
        versions = view.versions
        if versions is None:
            return
        request = SkipBackoff(turn_version=versions.turn, retry_version=versions.retry)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.skip_backoff(chat_id, request)
            return None if answer.changed else answer.reason

        self._ask(view, ask)

    def choose_model(self, view: ChatView, model: str) -> None:
        """Change the model of the chat; a waiting retry runs with it at once."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.change_chat(chat_id, ChangeChat(model=model))
            return f"{model} answers from now on."

        self._ask(view, ask)

    def rename(self, view: ChatView, title: str) -> None:
        """Rename the chat."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.change_chat(chat_id, ChangeChat(title=title))
            return None

        self._ask(view, ask)

    # --- the chat as a whole --------------------------------------------------------------

    def archive(self, chat_id: str, archived: bool, done: Told, failed: Failed) -> None:
        """Archive a chat, or unarchive it."""

        async def ask(client: Client, chat_id: str) -> str | None:
            chat = await client.change_chat(chat_id, ChangeChat(archived=archived))
            self._store.learned(chat)
            done(chat)
            return None

        self._ask_about(chat_id, ask, failed)

    def pin(self, chat_id: str, place: int | None) -> None:
        """Pin a chat at a place (from 0) among the pinned ones, or unpin it."""
        self._change(chat_id, ChangeChat(pin_order=place))

    def label(self, chat_id: str, changes: dict[str, str | None]) -> None:
        """Set labels of a chat; None removes one."""
        self._change(chat_id, ChangeChat(labels=changes))

    def _change(self, chat_id: str, change: ChangeChat) -> None:
        async def ask(client: Client, chat_id: str) -> str | None:
            self._store.learned(await client.change_chat(chat_id, change))
            return None

        self._ask_about(chat_id, ask, None)

    def delete(self, chat_id: str, done: Callable[[], None], failed: Failed) -> None:
        """Delete a chat for good; one that is not archived is archived first."""
        archived = self._store.chats.is_archived(chat_id)

        async def ask(client: Client, chat_id: str) -> str | None:
            if not archived:
                self._store.learned(await client.change_chat(chat_id, ChangeChat(archived=True)))
            await client.delete_chat(chat_id)
            done()
            return None

        self._ask_about(chat_id, ask, failed)

    # --- the history ----------------------------------------------------------------------

    def edit_message(
        self, view: ChatView, message_id: int, content: str, done: Done, failed: Failed
    ) -> None:
        """Edit an earlier message; refused if the history is not the shown version any more."""
        request = EditMessage(content, _history(view))

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.edit_message(chat_id, message_id, request)
            done()
            after = sum(map(is_read, answer.dropped)) - 1
            gone = in_words(Dropped(after, len(answer.dropped_queue), answer=False))
            return f"Said anew. Dropped: {gone}." if gone else "Said anew."

        self._ask(view, ask, failed)

    def count_after(
        self, view: ChatView, message_id: int, up_to: int, done: Callable[[Counted], None]
    ) -> None:
        """Count the visible messages after one, up to another, by fetching them."""

        async def ask(client: Client, chat_id: str) -> str | None:
            found = 0
            async for message in messages_after(client, chat_id, message_id):
                found += message.id <= up_to and is_read(message)
                if message.id >= up_to:
                    break
            done(Counted(found, message_id, up_to))
            return None

        self._ask(view, ask)

    def fork(self, view: ChatView, message_id: int, done: Told) -> None:
        """Create a chat with the messages up to and including one."""

        async def ask(client: Client, chat_id: str) -> str | None:
            forked = await client.fork(chat_id, Fork(message_id))
            self._store.learned(forked.chat)
            done(forked.chat)
            return None

        self._ask(view, ask)

    def clear(self, view: ChatView) -> None:
        """Clear the model's context."""
        request = ClearContext(_history(view))

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.clear(chat_id, request)
            return "The model sees nothing of what is above the line. You still do."

        self._ask(view, ask)

    # --- documents --------------------------------------------------------------------------

    def export(self, view: ChatView, path: Path) -> None:
        """Write the chat to a file, in the format that its name stands for."""
        # Imported here: the first paint does not wait for what few need.
        from palaver.client.saving import save
        from palaver.wire.exports import kind_of

        async def ask(client: Client, chat_id: str) -> str | None:
            await save(client.export_chat(chat_id, kind_of(path.name)), path)
            return f"Exported to {path}"

        self._ask(view, ask)

    def import_chat(self, path: Path, done: Told) -> None:
        """Create a chat from an export in a file."""

        async def ask(client: Client, _chat_id: str) -> str | None:
            try:
                file = await asyncio.to_thread(path.open, "rb")
            except OSError as error:
                raise PalaverError(f"{path} cannot be read: {error.strerror}.") from error
            with file:
                imported = await client.import_chat(file, key=uuid4().hex)
            self._store.learned(imported.chat)
            done(imported.chat)
            return None

        self._ask_about("", ask, None)

    # --- the queue --------------------------------------------------------------------------

    def promote(self, view: ChatView, queued: QueuedMessage) -> None:
        """Make a queued message the next one, and interrupt the current turn for it."""
        request = Promote(turn_version=_turn(view))

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.promote(chat_id, queued.id, request)
            stops = answer.chat.status == "interrupting"
            return "The answer is stopped; this message comes next." if stops else None

        self._ask(view, ask)

    def remove(
        self, view: ChatView, queued: QueuedMessage, done: Callable[[str], None], failed: Failed
    ) -> None:
        """Delete a queued message. `done` is called with the id of its chat."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.delete_queued(chat_id, queued.id)
            done(chat_id)
            return None

        self._ask(view, ask, failed)

    def requeue(
        self, chat_id: str, queued: QueuedMessage, place: int, failed: Failed, *, steers: bool
    ) -> None:
        """Queue a removed message again, at `place` (from 0), with its model.

        One that `steers` gets its place from the daemon.
        """
        request = SendMessage(queued.content, model=queued.model, position=place)
        if steers:
            turn = queued.steer_turn
            request = SendMessage(queued.content, when_busy="steer", turn_version=turn)

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.send(chat_id, request)
            return None

        self._ask_about(chat_id, ask, failed)

    def edit_queued(
        self, view: ChatView, queued: QueuedMessage, content: str, done: Done, failed: Failed
    ) -> None:
        """Change the content of a queued message in place; `done` or `failed` is called."""
        request = EditQueued(content, model=queued.model)

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.edit_queued(chat_id, queued.id, request)
            done()
            return None

        self._ask(view, ask, failed)

    def move(self, view: ChatView, queued: QueuedMessage, steps: int) -> None:
        """Move a queued message down by `steps`."""
        ids = [other.id for other in view.queue]
        if queued.id not in ids:
            return
        index = ids.index(queued.id)
        target = index + steps
        if not 0 <= target < len(ids):
            return
        ids.insert(target, ids.pop(index))
        request = QueueOrder(ids)

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.reorder_queue(chat_id, request)
            return None

        self._ask(view, ask)

    def hold(self, view: ChatView) -> None:
        """Hold the queue."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.hold_queue(chat_id)
            return None

        self._ask(view, ask)

    def release(self, view: ChatView) -> None:
        """Release the queue."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.release_queue(chat_id)
            return None

        self._ask(view, ask)


def _lost_words(answered_by: str, user: str | None) -> str:
    """Return why an answer came too late."""
    if answered_by == CANCELLED:
        return "The question was withdrawn before it was answered."
    who = "another client" if answered_by == user or user is None else answered_by
    return f"This question was answered before, by {who}."


def _turn(view: ChatView) -> int:
    return view.versions.turn if view.versions else 0


def _history(view: ChatView) -> int:
    return view.versions.history if view.versions else 0

"""Requests of the user about a chat: stop, retry, model, archive, history, queue.

Each method starts its request and returns; the effects arrive through the stream. A refusal or
a missing response is shown as a notice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from palaver.client import Client, PalaverError
from palaver.client.pages import messages_after
from palaver.wire.actions import ClearContext, EditMessage, Fork
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
from palaver_tui.state.dropped_messages import Counted, Dropped, in_words, is_read

Told = Callable[[Chat], None]
Failed = Callable[[], None]
Ask = Callable[[Client, str], Awaitable[str | None]]


class Requests:
    """Sends the requests of a session, for the current chat unless a method takes another."""

    def __init__(self, store: Store, spawn: Spawn) -> None:
        self._store = store
        self._spawn = spawn

    def _ask(self, ask: Ask, failed: Failed | None = None, chat_id: str | None = None) -> None:
        client, chat_id = self._store.client, chat_id or self._store.view.chat_id
        if chat_id is None:
            return
        if client is None:
            self._store.notice("There is no connection to the daemon yet.", "warning")
            if failed is not None:
                failed()
            return
        self._spawn(self._run(ask, client, chat_id, failed))

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

    @property
    def _turn(self) -> int:
        versions = self._store.view.versions
        return versions.turn if versions else 0

    @property
    def _history(self) -> int:
        versions = self._store.view.versions
        return versions.history if versions else 0

    # --- the current turn -------------------------------------------------------------------

    def stop(self) -> None:
        """Interrupt the current turn, and hold the queue."""
        request = Interrupt(turn_version=self._turn, hold_queue=True)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.interrupt(chat_id, request)
            if not answer.changed:
                return answer.reason or "There was nothing left to stop."
            return "Stopped. What was written so far is kept."

        self._ask(ask)

    def resume(self, at: datetime | None = None) -> None:
        """Retry the failed turn, now or at a time."""
        request = Resume(turn_version=self._turn, at=at)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.resume(chat_id, request)
            return None if answer.changed else answer.reason

        self._ask(ask)

    def skip_backoff(self) -> None:
        """Run a waiting retry now."""
        versions = self._store.view.versions
        if versions is None:
            return
        request = SkipBackoff(turn_version=versions.turn, retry_version=versions.retry)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.skip_backoff(chat_id, request)
            return None if answer.changed else answer.reason

        self._ask(ask)

    def choose_model(self, model: str) -> None:
        """Change the model of the chat; a waiting retry runs with it at once."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.change_chat(chat_id, ChangeChat(model=model))
            return f"{model} answers from now on."

        self._ask(ask)

    def rename(self, title: str) -> None:
        """Rename the chat."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.change_chat(chat_id, ChangeChat(title=title))
            return None

        self._ask(ask)

    # --- the chat as a whole --------------------------------------------------------------

    def archive(self, chat_id: str, archived: bool, done: Told, failed: Failed) -> None:
        """Archive a chat, or unarchive it."""

        async def ask(client: Client, chat_id: str) -> str | None:
            chat = await client.change_chat(chat_id, ChangeChat(archived=archived))
            self._store.learned(chat)
            done(chat)
            return None

        self._ask(ask, failed, chat_id)

    def delete(self, chat_id: str, done: Callable[[], None], failed: Failed) -> None:
        """Delete a chat for good; one that is not archived is archived first."""
        archived = self._store.chats.is_archived(chat_id)

        async def ask(client: Client, chat_id: str) -> str | None:
            if not archived:
                self._store.learned(await client.change_chat(chat_id, ChangeChat(archived=True)))
            await client.delete_chat(chat_id)
            done()
            return None

        self._ask(ask, failed, chat_id)

    # --- the history ----------------------------------------------------------------------

    def edit_message(self, message_id: int, content: str, failed: Failed) -> None:
        """Edit an earlier message; refused if the history is not the shown version any more."""
        request = EditMessage(content, self._history)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.edit_message(chat_id, message_id, request)
            after = sum(map(is_read, answer.dropped)) - 1
            gone = in_words(Dropped(after, len(answer.dropped_queue), answer=False))
            return f"Said anew. Dropped: {gone}." if gone else "Said anew."

        self._ask(ask, failed)

    def count_after(self, message_id: int, up_to: int, done: Callable[[Counted], None]) -> None:
        """Count the visible messages after one, up to another, by fetching them."""

        async def ask(client: Client, chat_id: str) -> str | None:
            found = 0
            async for message in messages_after(client, chat_id, message_id):
                found += message.id <= up_to and is_read(message)
                if message.id >= up_to:
                    break
            done(Counted(found, message_id, up_to))
            return None

        self._ask(ask)

    def fork(self, message_id: int, done: Told) -> None:
        """Create a chat with the messages up to and including one."""

        async def ask(client: Client, chat_id: str) -> str | None:
            forked = await client.fork(chat_id, Fork(message_id))
            self._store.learned(forked.chat)
            done(forked.chat)
            return None

        self._ask(ask)

    def clear(self) -> None:
        """Clear the model's context."""
        request = ClearContext(self._history)

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.clear(chat_id, request)
            return "The model sees nothing of what is above the line. You still do."

        self._ask(ask)

    # --- the queue --------------------------------------------------------------------------

    def promote(self, queued: QueuedMessage) -> None:
        """Make a queued message the next one, and interrupt the current turn for it."""
        request = Promote(turn_version=self._turn)

        async def ask(client: Client, chat_id: str) -> str | None:
            answer = await client.promote(chat_id, queued.id, request)
            stops = answer.chat.status == "interrupting"
            return "The answer is stopped; this message comes next." if stops else None

        self._ask(ask)

    def remove(self, queued: QueuedMessage, done: Callable[[str], None], failed: Failed) -> None:
        """Delete a queued message. `done` is called with the id of its chat."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.delete_queued(chat_id, queued.id)
            done(chat_id)
            return None

        self._ask(ask, failed)

    def requeue(self, chat_id: str, queued: QueuedMessage, place: int, failed: Failed) -> None:
        """Queue a removed message again, at `place` (from 0), with its model."""
        request = SendMessage(queued.content, model=queued.model, position=place)

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.send(chat_id, request)
            return None

        self._ask(ask, failed, chat_id)

    def edit_queued(self, queued: QueuedMessage, content: str, failed: Failed) -> None:
        """Change the content of a queued message in place; `failed` is called on an error."""
        request = EditQueued(content, model=queued.model)

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.edit_queued(chat_id, queued.id, request)
            return None

        self._ask(ask, failed)

    def move(self, queued: QueuedMessage, steps: int) -> None:
        """Move a queued message down by `steps`."""
        ids = [other.id for other in self._store.view.queue]
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

        self._ask(ask)

    def hold(self) -> None:
        """Hold the queue."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.hold_queue(chat_id)
            return None

        self._ask(ask)

    def release(self) -> None:
        """Release the queue."""

        async def ask(client: Client, chat_id: str) -> str | None:
            await client.release_queue(chat_id)
            return None

        self._ask(ask)

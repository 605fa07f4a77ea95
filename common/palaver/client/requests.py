"""The requests to a daemon: one method per route."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import BinaryIO, TypeVar
from urllib.parse import quote
from uuid import uuid4

import msgspec

from palaver.client.endpoint import API
from palaver.client.errors import PalaverError, Refused
from palaver.client.transport import Transport
from palaver.wire.actions import Answered, Answers, ClearContext, Edited, EditMessage, Fork
from palaver.wire.chats import (
    Chat,
    ChatPage,
    ChatStatus,
    CreateChat,
    Info,
    Interrupt,
    Interrupted,
    Models,
    SendMessage,
    Sent,
)
from palaver.wire.exports import ExportKind
from palaver.wire.files import StoredFile
from palaver.wire.messages import MessagePage
from palaver.wire.queue import (
    Acted,
    ChangeChat,
    EditQueued,
    Promote,
    QueueAnswer,
    QueueOrder,
    ReadChat,
    Resume,
    SkipBackoff,
)
from palaver.wire.search import SearchPage
from palaver.wire.setup import Lent, Reloaded

T = TypeVar("T")


class Requests:
    """The requests of a client. `Client` describes the errors, which all of them share."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    # --- the daemon -------------------------------------------------------------------------

    async def health(self) -> None:
        """Return if the daemon is alive, else raise."""
        await self._transport.exchange("GET", "/healthz")

    async def info(self) -> Info:
        """Return the daemon's info."""
        return await self._transport.request("GET", f"{API}/info", Info)

    async def reload(self) -> Reloaded:
        """Have the daemon reload its configuration; refused if that cannot be used."""
        return await self._transport.request("POST", f"{API}/reload", Reloaded)

    async def lend(self, lent: Lent) -> Reloaded:
        """Send API keys that the daemon lacks; it reloads its configuration."""
        return await self._transport.request("POST", f"{API}/variables", Reloaded, body=lent)

    async def models(self) -> Models:
        """Return the models to choose from."""
        return await self._transport.request("GET", f"{API}/models", Models)

    # --- chats ------------------------------------------------------------------------------

    async def create_chat(self, chat: CreateChat, *, key: str | None = None) -> Sent:
        """Create a chat with its first message, which is answered at once."""
        return await self._transport.request("POST", f"{API}/chats", Sent, body=chat, key=key)

    async def chats(
        self,
        limit: int = 50,
        cursor: str | None = None,
        archived: bool = False,
        q: str | None = None,
        prefix: str | None = None,
        *,
        labels: Sequence[str] = (),
        statuses: Sequence[ChatStatus] = (),
        parent: str | None = None,
        unread: bool | None = None,
    ) -> ChatPage:
        """Return a page of chats: pinned ones in their order, then the newest activity.

        With `prefix`, those whose ids begin with it, including archived ones. `labels` are names,
        or names and values as in `team=docs`. A daemon without `CHAT_MARKS` ignores the last four.
        """
        query: list[tuple[str, str]] = [("limit", str(limit))]
        if archived:
            query.append(("archived", "true"))
        if unread is not None:
            query.append(("unread", "true" if unread else "false"))
        optional = {"cursor": cursor, "q": q, "prefix": prefix, "parent": parent}
        query += [(name, value) for name, value in optional.items() if value is not None]
        query += [("label", label) for label in labels]
        query += [("status", status) for status in statuses]
        return await self._transport.request("GET", f"{API}/chats", ChatPage, query=query)

    async def search(
        self,
        q: str,
        *,
        limit: int = 20,
        cursor: str | None = None,
        archived: bool | None = None,
        chat: str | None = None,
        once: bool = False,
    ) -> SearchPage:
        """Return a page of the messages and titles with the words of `q`, the best ones first.

        By default, of archived and other chats. With `chat`, only of that one; with `once`, only
        the best one of each chat. A daemon without the capability `SEARCH` has no such route.
        """
        query = {"q": q, "limit": str(limit)}
        if cursor is not None:
            query["cursor"] = cursor
        if archived is not None:
            query["archived"] = "true" if archived else "false"
        if chat is not None:
            query["chat"] = chat
        if once:
            query["once"] = "true"
        return await self._transport.request("GET", f"{API}/search", SearchPage, query=query)

    async def chat(self, id: str) -> Chat:  # noqa: A002 - the route's own name
        """Return one chat, without its messages."""
        return await self._transport.request("GET", chat_path(id), Chat)

    async def messages(
        self,
        id: str,  # noqa: A002
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 50,
    ) -> MessagePage:
        """Return a page of messages: newest first, unless only `after_id` is given."""
        query = {"limit": str(limit)}
        if before_id is not None:
            query["before_id"] = str(before_id)
        if after_id is not None:
            query["after_id"] = str(after_id)
        path = f"{chat_path(id)}/messages"
        return await self._transport.request("GET", path, MessagePage, query=query)

    async def send(
        self,
        id: str,  # noqa: A002
        message: SendMessage,
        *,
        key: str | None = None,
    ) -> Sent:
        """Send a message: into history if the chat is idle, else into its queue."""
        return await self._ask("POST", id, "messages", Sent, message, key)

    async def interrupt(self, id: str, interrupt: Interrupt) -> Interrupted:  # noqa: A002
        """Interrupt the turn that `interrupt` names."""
        return await self._ask("POST", id, "interrupt", Interrupted, interrupt)

    async def change_chat(self, id: str, change: ChangeChat) -> Chat:  # noqa: A002
        """Change a chat's title, model, labels or pin, or archive it; omitted fields are kept."""
        return await self._transport.request("PATCH", chat_path(id), Chat, body=change)

    async def mark_read(self, id: str, read: ReadChat) -> Chat:  # noqa: A002
        """Report a chat as read up to a snapshot version that was shown; None: as it is now."""
        return await self._ask("POST", id, "read", Chat, read)

    async def delete_chat(self, id: str) -> None:  # noqa: A002
        """Delete an archived chat and its descendants permanently.

        A chat that no longer exists is no error: if the response is lost, aiohttp retries the
        request by itself, and the retry does not find it.
        """
        try:
            await self._transport.exchange("DELETE", chat_path(id))
        except Refused as refused:
            if refused.problem.code != "chat_not_found":
                raise

    async def reconcile(self, id: str) -> Acted:  # noqa: A002
        """Repair a chat in an invalid state; `reason` says what was wrong."""
        return await self._ask("POST", id, "reconcile", Acted)

    def export_chat(self, id: str, kind: ExportKind) -> AsyncGenerator[bytes]:  # noqa: A002
        """Yield a chat as a document, in pieces. Raises when iterated, also in the middle."""
        return self._transport.receive(f"{chat_path(id)}/export", {"format": kind})

    async def import_chat(self, document: BinaryIO, *, key: str | None = None) -> Sent:
        """Create a chat from an export in JSON, which is read from a file."""
        path = f"{API}/imports"
        return await self._transport.request("POST", path, Sent, body=document, key=key)

    # --- files ------------------------------------------------------------------------------

    async def send_file(self, name: str, content: BinaryIO) -> StoredFile:
        """Send a file. Its type is recognised by its content; the same file is stored once."""
        path, query = f"{API}/files", {"name": name}
        return await self._transport.request("POST", path, StoredFile, query=query, body=content)

    def file(self, id: str) -> AsyncGenerator[bytes]:  # noqa: A002
        """Yield the content of a file, in pieces. Raises when iterated, also in the middle."""
        return self._transport.receive(f"{API}/files/{quote(id, safe='')}", {})

    # --- history and the current turn -------------------------------------------------------

    async def edit_message(
        self,
        id: str,  # noqa: A002
        message: int,
        edit: EditMessage,
        *,
        key: str | None = None,
    ) -> Edited:
        """Replace a user's message; the response lists what was dropped after it."""
        return await self._ask("PATCH", id, f"messages/{message}", Edited, edit, key)

    async def fork(self, id: str, fork: Fork, *, key: str | None = None) -> Sent:  # noqa: A002
        """Create a chat with the history up to and including a message."""
        return await self._ask("POST", id, "fork", Sent, fork, key)

    async def clear(self, id: str, clear: ClearContext, *, key: str | None = None) -> Acted:  # noqa: A002
        """Hide the history from the model, not from users."""
        return await self._ask("POST", id, "clear", Acted, clear, key)

    async def compact(self, id: str, *, key: str | None = None) -> Acted:  # noqa: A002
        """Request a summary of the context."""
        return await self._ask("POST", id, "compact", Acted, key=key)

    async def answer_calls(
        self,
        id: str,  # noqa: A002
        answers: Answers,
        *,
        key: str | None = None,
    ) -> Answered:
        """Answer tool calls that only a client can answer; `lost` names those answered before."""
        return await self._ask("POST", id, "answers", Answered, answers, key)

    async def resume(self, id: str, resume: Resume, *, key: str | None = None) -> Acted:  # noqa: A002
        """Retry a failed turn, now or at a given time."""
        return await self._ask("POST", id, "resume", Acted, resume, key)

    async def skip_backoff(self, id: str, skip: SkipBackoff) -> Acted:  # noqa: A002
        """Start a waiting retry now."""
        return await self._ask("POST", id, "skip-backoff", Acted, skip)

    # --- the queue --------------------------------------------------------------------------

    async def edit_queued(self, id: str, queued: int, edit: EditQueued) -> QueueAnswer:  # noqa: A002
        """Replace a queued message's content; its position is kept."""
        return await self._ask("PATCH", id, f"queue/{queued}", QueueAnswer, edit)

    async def delete_queued(
        self,
        id: str,  # noqa: A002
        queued: int,
        *,
        key: str | None = None,
    ) -> QueueAnswer:
        """Remove a message from the queue; the response contains it.

        Without a key it gets one: if the response is lost, aiohttp retries the request by itself,
        and the retry must return what the first one removed.
        """
        key = key or uuid4().hex
        return await self._ask("DELETE", id, f"queue/{queued}", QueueAnswer, key=key)

    async def promote(self, id: str, queued: int, promote: Promote) -> QueueAnswer:  # noqa: A002
        """Make a queued message the next one, and interrupt the current turn."""
        return await self._ask("POST", id, f"queue/{queued}/promote", QueueAnswer, promote)

    async def reorder_queue(self, id: str, order: QueueOrder) -> QueueAnswer:  # noqa: A002
        """Reorder the queue."""
        return await self._ask("PUT", id, "queue/order", QueueAnswer, order)

    async def hold_queue(self, id: str) -> QueueAnswer:  # noqa: A002
        """Hold the queue."""
        return await self._ask("POST", id, "queue/hold", QueueAnswer)

    async def release_queue(self, id: str) -> QueueAnswer:  # noqa: A002
        """Release the queue; an idle chat runs its head at once."""
        return await self._ask("POST", id, "queue/release", QueueAnswer)

    async def _ask(
        self,
        method: str,
        chat_id: str,
        what: str,
        answer: type[T],
        body: msgspec.Struct | None = None,
        key: str | None = None,
    ) -> T:
        path = f"{chat_path(chat_id)}/{what}"
        return await self._transport.request(method, path, answer, body=body, key=key)


def chat_path(chat_id: str) -> str:
    """Return the path of a chat's route. Raises `PalaverError` if the id is invalid."""
    if chat_id in {"", ".", ".."}:
        raise PalaverError(f"There is no chat {chat_id!r}.")
    return f"{API}/chats/{quote(chat_id, safe='')}"

"""Use cases of new chats and messages."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from palaver.wire.chats import CreateChat, SendMessage, Sent
from palaverd.chatstate.states import RUNNABLE_STATUSES
from palaverd.chatstate.table import Transition
from palaverd.store.door import Applied, ChatTools, NewChat, finish, fresh_chat
from palaverd.store.history import NewUserMessage
from palaverd.store.idempotency import Content, Made, find_made, request_key, store_made
from palaverd.store.listing import where_is
from palaverd.store.locked import LockedChat
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.sync import load_chat
from palaverd.store.transitions.send import Placed, create, send, send_interrupt, send_steer
from palaverd.usecases.attachments import check_readable, find_attached
from palaverd.usecases.context import Context
from palaverd.usecases.errors import EmptyMessage, InvalidRequest
from palaverd.usecases.keyed_requests import Asker, made_by, on_chat
from palaverd.usecases.labels import check_labels, merged
from palaverd.usecases.models import check_model
from palaverd.usecases.titles import first_title
from palaverd.usecases.workspaces import find_workspace


async def create_chat(context: Context, asker: Asker, request: CreateChat) -> Sent:
    """Create a chat with its first message, which runs at once. A repeated key returns it again.

    Raises:
        InvalidRequest: the message is empty, or the model, the workspace or a file is invalid.
        KeyReused: the key was used for something else.
        DatabaseError: nothing was changed.
    """
    message = user_message(request.content, None, asker)
    check_labels(request.labels)
    new = NewChat(
        owner=asker.owner,
        title=request.title or first_title(request.content),
        title_by_person=request.title is not None,
        system_prompt=request.system_prompt,
        model=request.model,
        labels=merged({}, request.labels),
        workspace=await find_workspace(request.workspace, context.host, asker.owner),
    )
    tools = ChatTools(request.mode, request.client_tools)
    chat_id = context.door.new_id()
    content: list[object] = [new, Content.of(message)]
    if tools != ChatTools():  # left out by older versions, whose digests are stored
        content.append(tools)
    if request.files:
        content.append(request.files)
    key = request_key(asker.owner, asker.key, Transition.CREATE, content)

    def transaction(connection: Connection, now: int) -> Applied[Sent]:
        made = find_made(connection, key)
        if made is not None:
            row = load_chat(connection, made.chat_id)
            return Applied(result=_sent_again(connection, row, made), row=row, changed=False)
        check_model(context, request.model)  # a repeated request does not need it any more
        files = find_attached(connection, asker.owner, request.files)
        check_readable(context, files, request.model)
        chat = fresh_chat(connection, chat_id, new, now, tools)
        placed = create(chat, replace(message, files=files))
        applied = finish(chat, _sent(chat, placed))
        store_made(connection, key, made_by(applied.result), now)
        return applied

    return (await context.door.transact(transaction)).result


async def send_message(context: Context, chat_id: str, asker: Asker, request: SendMessage) -> Sent:
    """Send a message: into history if the chat is idle, else into its queue.

    A message that interrupts or steers and names a turn that is over is queued.

    Raises:
        InvalidRequest: the message is empty, its model is not configured, a file is invalid, or it
            steers and has a model or a position.
        ChatNotFound: this owner has no such chat.
        KeyReused: the key was used for something else.
        TransitionError: refused; nothing was changed.
        DatabaseError: nothing was changed.
    """
    sent = user_message(request.content, request.model, asker)
    interrupt, turn_version = request.when_busy == "interrupt", request.turn_version
    steer = request.when_busy == "steer"
    if steer:
        _check_steer(request)

    def work(chat: LockedChat) -> Sent:
        check_model(context, request.model)
        message = with_files(context, chat, sent, request.files)
        stale = turn_version is not None and turn_version != chat.row.turn_version
        busy = chat.row.status in RUNNABLE_STATUSES
        if interrupt and not (busy and stale):
            return _sent(chat, send_interrupt(chat, message, request.position))
        if steer and not (busy and stale):
            return _sent(chat, send_steer(chat, message))
        return _sent(chat, send(chat, message, request.position))

    content: list[object] = [Content.of(sent), interrupt, turn_version, request.position]
    if steer:  # left out by older versions, whose digests are stored
        content.append("steer")
    if request.files:
        content.append(request.files)
    return await on_chat(context.door, chat_id, asker, Transition.SEND, content, work, _sent_again)


def _check_steer(request: SendMessage) -> None:
    if request.model is not None:
        raise InvalidRequest("A message that steers is read by the model of the turn.", "model")
    if request.position is not None:
        raise InvalidRequest("A message that steers has no place of its own.", "position")


def user_message(content: str, model: str | None, asker: Asker) -> NewUserMessage:
    """Return the message to store, with the key of its request.

    Raises:
        EmptyMessage: it has no visible character.
    """
    if not content.strip():
        raise EmptyMessage
    return NewUserMessage(content, model, created_by=asker.owner, key=asker.key)


def with_files(
    context: Context, chat: LockedChat, message: NewUserMessage, ids: Sequence[str]
) -> NewUserMessage:
    """Return a message with the files of these ids, which the model that answers understands.

    Raises:
        InvalidRequest: there is no such file, they are too large, or the model cannot read one.
    """
    files = find_attached(chat.connection, chat.row.owner, ids)
    check_readable(context, files, message.model, chat.row.model)
    return replace(message, files=files)


def _sent(chat: LockedChat, placed: Placed) -> Sent:
    message, queued = where_is(
        chat.connection, chat.row.chat_id, placed.message_id, placed.queued_id
    )
    return Sent(chat=wire_chat(chat.row), message=message, queued=queued)


def _sent_again(connection: Connection, row: ChatRow, made: Made) -> Sent:
    """Return where a message is that was sent before: queued, in history, or gone."""
    message, queued = where_is(connection, row.chat_id, made.message_id, made.queued_id)
    return Sent(chat=wire_chat(row), message=message, queued=queued, repeated=True)

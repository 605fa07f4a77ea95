"""Use cases that change history: edit, fork, clear, compact."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from palaver.wire.actions import ClearContext, Edited, EditMessage, Fork
from palaver.wire.chats import Sent
from palaver.wire.queue import Acted
from palaverd.chatstate.states import RUNNABLE
from palaverd.chatstate.table import Transition
from palaverd.store.door import Applied, ChatTools, NewChat, finish, fresh_chat
from palaverd.store.idempotency import Content, Made, find_made, request_key, store_made
from palaverd.store.listing import dropped_by, files_of, where_is
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow, wire_chat, workspace_of
from palaverd.store.sync import load_chat
from palaverd.store.transitions.archive import children
from palaverd.store.transitions.edit import (
    clear_context,
    edit,
    fork,
    request_compaction,
)
from palaverd.store.transitions.interrupt import interrupt
from palaverd.usecases.context import Context
from palaverd.usecases.keyed_requests import Asker, acted_again, made_by, on_chat
from palaverd.usecases.messages import user_message, with_files
from palaverd.usecases.models import check_model
from palaverd.usecases.titles import check_title, fork_title


async def edit_message(
    context: Context, chat_id: str, asker: Asker, message_id: int, change: EditMessage
) -> Edited:
    """Replace a user message and all after it. The response lists what was dropped.

    Children that were created after the message are interrupted, and their queues held.

    Raises:
        InvalidRequest: the message is empty, or its model is not configured.
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """
    replacement = user_message(change.content, change.model, asker)

    def work(chat: LockedChat) -> Edited:
        check_model(context, change.model)
        if change.files is None:
            files = files_of(chat.connection, chat_id, message_id)
            replacing = msgspec.structs.replace(replacement, files=files)
        else:
            replacing = with_files(context, chat, replacement, change.files)
        rewritten = edit(chat, message_id, replacing, change.history_version)
        _stop_children(chat, message_id)
        message, _ = where_is(chat.connection, chat_id, rewritten.message_id, None)
        return Edited(
            chat=wire_chat(chat.row),
            message=message,
            dropped=dropped_by(chat.connection, chat_id, chat.row.snapshot_version),
            dropped_queue=rewritten.dropped_queue,
        )

    content: list[object] = [message_id, Content.of(replacement), change.history_version]
    if change.files is not None:  # left out by older versions, whose digests are stored
        content.append(change.files)
    return await on_chat(
        context.door, chat_id, asker, Transition.EDIT, content, work, _edited_again
    )


def _edited_again(connection: Connection, row: ChatRow, made: Made) -> Edited:
    message, _ = where_is(connection, row.chat_id, made.message_id, None)
    return Edited(
        chat=wire_chat(row),
        message=message,
        dropped=dropped_by(connection, row.chat_id, made.revision),
        dropped_queue=list(made.removed),
        repeated=True,
    )


def _stop_children(chat: LockedChat, message_id: int) -> None:
    for child_id in children(chat.connection, chat.row.chat_id):
        child = lock(chat.connection, child_id, chat.now)
        spawned_after = child.row.spawned_by is None or child.row.spawned_by >= message_id
        if spawned_after and child.row.state in RUNNABLE:
            interrupt(child, child.row.turn_version, hold_queue=True)
            chat.others.append(child)


async def fork_chat(context: Context, chat_id: str, asker: Asker, request: Fork) -> Sent:
    """Create a chat with the history of another up to and including a message.

    Raises:
        InvalidRequest: the title is invalid.
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """
    check_title(request.title)
    new_id = context.door.new_id()
    content = [chat_id, request.message_id, request.title]
    key = request_key(asker.owner, asker.key, Transition.FORK, content)

    def transaction(connection: Connection, now: int) -> Applied[Sent]:
        source = lock(connection, chat_id, now, asker.owner)
        made = find_made(connection, key)
        if made is not None:
            row = load_chat(connection, made.chat_id)
            answer = Sent(chat=wire_chat(row), repeated=True)
            return Applied(result=answer, row=row, changed=False)
        tools = ChatTools(source.row.mode, source.row.client_tools)
        new = _forked(source.row, request.title)
        target = fresh_chat(connection, new_id, new, now, tools)
        fork(source, target, request.message_id)
        applied = finish(target, Sent(chat=wire_chat(target.row)))
        store_made(connection, key, made_by(applied.result), now)
        return applied

    return (await context.door.transact(transaction)).result


def _forked(source: ChatRow, title: str | None) -> NewChat:
    return NewChat(
        owner=source.owner,
        title=title or fork_title(source.title),
        title_by_person=title is not None or source.title_by_person,
        system_prompt=source.system_prompt,
        model=source.model,
        labels=source.labels,
        client_type=source.client_type,
        workspace=workspace_of(source),
    )


async def clear(context: Context, chat_id: str, asker: Asker, request: ClearContext) -> Acted:
    """Hide the history from the model.

    Raises:
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """

    def work(chat: LockedChat) -> Acted:
        clear_context(chat, request.history_version)
        return Acted(chat=wire_chat(chat.row), changed=True)

    return await on_chat(
        context.door,
        chat_id,
        asker,
        Transition.CLEAR_CONTEXT,
        request.history_version,
        work,
        acted_again,
    )


async def compact(context: Context, chat_id: str, asker: Asker) -> Acted:
    """Request a compaction.

    Raises:
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """

    def work(chat: LockedChat) -> Acted:
        request_compaction(chat)
        return Acted(chat=wire_chat(chat.row), changed=True)

    return await on_chat(
        context.door, chat_id, asker, Transition.REQUEST_COMPACTION, None, work, acted_again
    )

"""Use cases of the current turn: interrupt, retry, skip a wait, answer calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from palaver.wire.actions import Answered, Answers, LostAnswer
from palaver.wire.chats import Interrupt, Interrupted
from palaver.wire.queue import Acted, SkipBackoff
from palaverd.chatstate.table import Transition
from palaverd.store.calls import stored_calls, waiting_calls
from palaverd.store.codec import to_ms
from palaverd.store.idempotency import Made
from palaverd.store.locked import LockedChat
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.transitions.interrupt import interrupt
from palaverd.store.transitions.required_action import complete_action
from palaverd.store.transitions.retry import resume, skip_backoff
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest
from palaverd.usecases.keyed_requests import Asker, acted_again, on_chat


async def stop(context: Context, chat_id: str, owner: str, request: Interrupt) -> Interrupted:
    """Interrupt the turn that the client saw; a later turn is not affected.

    Raises:
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    applied = await context.door.apply(
        chat_id,
        lambda chat: interrupt(chat, request.turn_version, hold_queue=request.hold_queue),
        owner=owner,
    )
    return Interrupted(chat=wire_chat(applied.row), changed=applied.changed, reason=applied.result)


async def skip_wait(context: Context, chat_id: str, owner: str, request: SkipBackoff) -> Acted:
    """Start a waiting retry now.

    Raises:
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    applied = await context.door.apply(
        chat_id,
        lambda chat: skip_backoff(chat, request.turn_version, request.retry_version),
        owner=owner,
    )
    return Acted(chat=wire_chat(applied.row), changed=applied.changed, reason=applied.result)


async def try_again(
    context: Context, chat_id: str, asker: Asker, turn_version: int, at: datetime | None
) -> Acted:
    """Retry a failed turn, now or at a given time.

    Raises:
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """

    at_ms = to_ms(at) if at is not None else None

    def work(chat: LockedChat) -> Acted:
        reason = resume(chat, turn_version, at_ms)
        return Acted(chat=wire_chat(chat.row), changed=chat.changed, reason=reason)

    content = [turn_version, at_ms]
    return await on_chat(
        context.door, chat_id, asker, Transition.RESUME, content, work, acted_again
    )


async def answer_calls(context: Context, chat_id: str, asker: Asker, answers: Answers) -> Answered:
    """Answer calls that wait for a client. The response lists answers that came too late.

    Raises:
        InvalidRequest: there is no answer, one is neither an approval nor a text, or one permits a
            call whose result is asked for.
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """
    for given in answers.answers:
        if (given.approved is None) == (given.text is None) and given.approved is not False:
            raise InvalidRequest(
                f"The answer to {given.call_id} is either approved or a text.", "answers"
            )
    if not answers.answers:
        raise InvalidRequest("There is no answer in this request.", "answers")

    def work(chat: LockedChat) -> Answered:
        _check_needs(chat, answers)
        lost = complete_action(chat, answers.turn_version, answers.answers, asker.owner)
        return Answered(
            chat=wire_chat(chat.row), open_calls=_open_calls(chat.connection, chat_id), lost=lost
        )

    def again(connection: Connection, row: ChatRow, _made: Made) -> Answered:
        asked = [given.call_id for given in answers.answers]
        calls = stored_calls(connection, chat_id, asked)
        lost = [
            LostAnswer(given.call_id, call.answered_by)
            for given in answers.answers
            # A call of a message that was deleted is gone in the end (store/retention.py).
            if (call := calls.get(given.call_id)) is not None
            and call.answered_by is not None
            and call.answer != given
        ]
        return Answered(
            wire_chat(row), open_calls=_open_calls(connection, chat_id), lost=lost, repeated=True
        )

    return await on_chat(
        context.door, chat_id, asker, Transition.COMPLETE_ACTION, answers, work, again
    )


def _check_needs(chat: LockedChat, answers: Answers) -> None:
    """Check that no answer permits a call that waits for a result: nobody would ever give it.

    Raises:
        InvalidRequest: one does.
    """
    permitted = [given.call_id for given in answers.answers if given.approved]
    for call in stored_calls(chat.connection, chat.row.chat_id, permitted).values():
        if call.waits and call.needs == "result":
            raise InvalidRequest(
                f"The call {call.call_id} asks for a text, not for a permission.", "answers"
            )


def _open_calls(connection: Connection, chat_id: str) -> list[str]:
    return [call.call_id for call in waiting_calls(connection, chat_id)]

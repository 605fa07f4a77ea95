"""The worker's transitions: attempts, responses, and the end of a turn."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError
from palaver.wire.messages import Text, ToolResult, Usage
from palaverd.chatstate.table import Transition
from palaverd.store.attempts import clear_partial, close_attempt, open_attempt
from palaverd.store.calls import committed
from palaverd.store.history import NewMessage, fail, insert_messages, run_head_or_wait
from palaverd.store.locked import LockedChat
from palaverd.store.steering import take_steers


def record_attempt(chat: LockedChat, model: str | None) -> int:
    """Count an attempt before its model call; return its number, from 1."""
    with chat.transition(Transition.RECORD_ATTEMPT):
        row = chat.row
        row.generation_attempt += 1
        open_attempt(chat, model)
        return row.generation_attempt


def begin_calls(chat: LockedChat) -> int:
    """Begin live output of tool calls; return the number of the attempt, from 1.

    It is an attempt on this history as a model call is, so that its live output has a key of its
    own, also after a crash.
    """
    with chat.transition(Transition.RECORD_ATTEMPT):
        chat.row.generation_attempt += 1
        return chat.row.generation_attempt


def record_retry(chat: LockedChat, retry: RetryInfo) -> None:
    """Store the retry that clients show while the worker waits."""
    with chat.transition(Transition.RECORD_RETRY):
        close_attempt(chat, retry.error.kind)
        chat.row.retry = retry


def commit_response(
    chat: LockedChat, message: NewMessage, notice: str | None = None, remark: str | None = None
) -> int:
    """Append one whole model response; return its id.

    A `notice` for users is inserted before it, a `remark` after it.
    """
    if not message.parts:
        raise ValueError("a response has at least one part")
    with chat.transition(Transition.COMMIT_RESPONSE):
        close_attempt(chat, message.finish or "stop", message.usage)
        if message.usage is not None:
            chat.row.context_tokens = context_tokens(message.usage)
            chat.row.context_limit = message.context_limit
        clear_partial(chat)
        chat.row.turn_steps += 1
        before = [_notice(notice)] if notice is not None else []
        behind = [_notice(remark)] if remark is not None else []
        return insert_messages(chat, [*before, message, *behind])[len(before)]


def _notice(text: str) -> NewMessage:
    return NewMessage(role="system", visibility="user", parts=[Text(text)])


def commit_results(
    chat: LockedChat, results: Sequence[ToolResult], *, lost: Collection[str] = ()
) -> None:
    """Append the results of all open calls, in call order, and what steers behind them.

    `lost` are the calls whose results say that nobody knows what came of them.
    """
    with chat.transition(Transition.COMMIT_RESULTS):
        episode = chat.row.episode
        insert_messages(chat, [NewMessage(role="tool", parts=list(results), episode=episode)])
        committed(chat, [result.call_id for result in results], lost=lost)
        take_steers(chat)


def finish_turn(chat: LockedChat) -> None:
    """End the turn: wait, or run the head of a free queue."""
    with chat.transition(Transition.FINISH_TURN):
        run_head_or_wait(chat)


def finish_error(chat: LockedChat, error: ChatError) -> None:
    """End the turn with an error. The queue stays and is not held."""
    with chat.transition(Transition.FINISH_ERROR):
        close_attempt(chat, error.kind)
        clear_partial(chat)
        fail(chat, error, "The call was given up because the turn failed.")


def context_tokens(usage: Usage) -> int | None:
    """Return the context that a call used: input, cached or not, and output."""
    known = [
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.output_tokens,
    ]
    return None if usage.input_tokens is None else sum(n for n in known if n is not None)

"""The generate task: read the history, do the next step of the turn, commit, and end."""

from __future__ import annotations

from collections.abc import Sequence

from palaver.wire.errors import ChatError
from palaver.wire.messages import ToolCall
from palaverd.generation.call import call_model
from palaverd.generation.calls import run_calls
from palaverd.generation.environment import Assignment, Environment
from palaverd.store.history import unanswered
from palaverd.store.prompt import PromptMessage, load_history
from palaverd.store.transitions.turn import finish_error, finish_turn

NO_COMPACTION = ChatError(
    kind="generic",
    message="This version of Palaver cannot compact a conversation yet. Send a message to go on, "
    "or clear the context.",
)


class FilesElsewhere(Exception):
    """The chat's workspace is on another machine, so this one must not run it."""


async def generate(env: Environment, job: Assignment) -> None:
    """Take the next step of a turn.

    Raises:
        FenceLost: the chat changed meanwhile; nothing was written.
        DatabaseError: nothing was written; retry.
        FilesElsewhere: nothing was written; release the chat.
    """
    history = await env.database.read(lambda c: load_history(c, job.chat_id))
    if not job.fence.holds(history.row):
        return
    if history.row.workspace_host not in (None, env.host):
        raise FilesElsewhere
    if history.row.compaction_requested_at is not None:
        await fail(env, job, NO_COMPACTION)
        return
    calls = open_calls_of(since_last_user(history.messages))
    env.commands.end_others(job.chat_id, {call.id for _, call in calls})
    if calls:
        await run_calls(env, job, history, calls)
    elif history.messages and history.messages[-1].role == "assistant":
        await env.door.apply(job.chat_id, finish_turn, fence=job.fence)
    elif history.row.turn_steps >= env.catalog.max_steps:
        await fail(env, job, _too_many_steps(env.catalog.max_steps))
    else:
        await call_model(env, job, history)


async def fail(env: Environment, job: Assignment, error: ChatError) -> None:
    """End the turn with an error."""
    await env.door.apply(job.chat_id, lambda chat: finish_error(chat, error), fence=job.fence)
    env.episodes.end(job.chat_id, env.episodes.current(job.chat_id))


def since_last_user(messages: Sequence[PromptMessage]) -> Sequence[PromptMessage]:
    """Return the messages after the last one of the user: calls before that have their results.

    It need not be the beginning of the turn: a message that steers comes later.
    """
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].role == "user":
            return messages[place + 1 :]
    return messages


def open_calls_of(messages: Sequence[PromptMessage]) -> list[tuple[int, ToolCall]]:
    """Return the calls without a result, each with the id of its message, in call order."""
    open_ = {call.id for call in unanswered(part for one in messages for part in one.parts)}
    return [
        (message.id, part)
        for message in messages
        for part in message.parts
        if isinstance(part, ToolCall) and part.id in open_
    ]


def _too_many_steps(limit: int) -> ChatError:
    return ChatError(
        kind="generic",
        message=f"The model was called {limit} times without coming to an end. Send a message "
        "to let it go on.",
    )

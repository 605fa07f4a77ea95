"""End an interruption: save what clients were shown as the partial answer."""

from __future__ import annotations

from palaver.wire.messages import Part, ToolResult
from palaverd.generation.answer import shown_parts
from palaverd.generation.environment import Assignment, Environment
from palaverd.store.attempts import Partial, load_partial
from palaverd.store.history import NewMessage
from palaverd.store.locked import LockedChat
from palaverd.store.rows import ChatRow
from palaverd.store.transitions.interrupt import CANCELLED_BY_USER, finish_interruption
from palaverd.stream.episode import Episode

# Characters of a stopped call's output that the model gets.
CUT_OUTPUT = 4096


async def end_interruption(env: Environment, job: Assignment) -> None:
    """Save the partial answer and finish the interruption.

    Raises:
        FenceLost: the chat changed meanwhile; nothing was written.
        DatabaseError: nothing was written; retry.
    """
    newest = env.episodes.current(job.chat_id)
    if newest is not None:
        # Sealed before the first await, so that nothing is shown after what is saved.
        newest.seal()

    def transition(chat: LockedChat) -> None:
        episode = env.episodes.of(job.chat_id, chat.row.episode)
        saved = load_partial(chat.connection, job.chat_id)
        results = env.finished.of(job.chat_id, chat.row.history_version)
        known = {**_cut_off(episode), **results}
        finish_interruption(chat, _partial(chat.row, episode, saved), known)

    await env.door.apply(job.chat_id, transition, fence=job.fence)
    env.commands.end_others(job.chat_id, ())  # an earlier daemon's
    env.episodes.end(job.chat_id, newest)


def _cut_off(episode: Episode | None) -> dict[str, ToolResult]:
    """Return results of the calls that were stopped, with what they had shown, by call id."""
    if episode is None:
        return {}
    return {
        block.call_id: ToolResult(
            call_id=block.call_id,
            text=f"{CANCELLED_BY_USER} Its output until then:\n{block.text[-CUT_OUTPUT:]}",
            is_error=True,
        )
        for block in episode.blocks
        if block.kind == "tool_output" and block.call_id is not None and block.length
    }


def _partial(row: ChatRow, episode: Episode | None, saved: Partial | None) -> NewMessage | None:
    """Return the output of the row's current attempt, from its episode, else the saved partial."""
    parts: list[Part] = []
    model = None
    if episode is not None:
        parts, model = shown_parts(episode.blocks), episode.model
    elif saved is not None and f"{saved.history_version}.{saved.attempt}" == row.episode:
        parts, model = saved.parts, saved.model
    if not parts:
        return None
    return NewMessage(
        role="assistant", parts=parts, model=model, finish="interrupted", episode=row.episode
    )

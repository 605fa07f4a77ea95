"""The live state of a chat: the most important of the states that hold now."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection

# Highest priority first: the first state that holds is shown.
LiveState = Literal[
    "offline",
    "reconnecting",
    "needs_answer",
    "retrying",
    "failed",
    "interrupting",
    "compacting",
    "tools",
    "streaming",
    "starting",
    "pending",
    "held",
    "idle",
]
PRIORITY: tuple[LiveState, ...] = get_args(LiveState)
# States in which Esc stops the turn.
STOPPABLE: frozenset[LiveState] = frozenset(
    {"needs_answer", "retrying", "compacting", "tools", "streaming", "starting", "pending"}
)
SLOW_AFTER_S = 15.0  # until the first token; most models answer within a few seconds


class Now(msgspec.Struct, frozen=True):
    """The live state, since when, and whether the first token takes longer than `SLOW_AFTER_S`."""

    state: LiveState
    since: datetime | None = None
    slow: bool = False


def _holds(view: ChatView, connection: Connection) -> dict[LiveState, bool]:
    running = view.status == "running"
    kinds = {block.kind for block in view.live.blocks} if view.live else set()
    last = view.live.blocks[-1].kind if view.live and view.live.blocks else None
    return {
        "offline": connection.phase == "offline",
        "reconnecting": connection.phase == "reconnecting",
        "needs_answer": view.status == "requires_action",
        "retrying": running and view.retry is not None,
        "failed": view.status == "error",
        "interrupting": view.status == "interrupting",
        "compacting": running and "compaction" in kinds,
        "tools": running and last in {"tool_call", "tool_output", "tool_result"},
        "streaming": running and last is not None,
        "starting": running,
        "pending": view.status == "pending",
        "held": view.status == "paused" or view.held,
        "idle": True,
    }


def live_state(view: ChatView, connection: Connection, now: datetime) -> Now:
    """Return the first state of `PRIORITY` that holds."""
    holds = _holds(view, connection)
    state = next(state for state in PRIORITY if holds[state])
    if state in {"offline", "reconnecting"}:
        return Now(state, connection.since)
    waited = (now - view.since).total_seconds() if view.since else 0.0
    return Now(state, view.since, slow=state == "starting" and waited >= SLOW_AFTER_S)

"""Runs of steps of a finished turn, each folded into one line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from palaver.wire.chats import ChatStatus
from palaver.wire.messages import Boundary, Message, ToolCall, ToolResult
from palaver_tui.transcript.calls.call import TALKING
from palaver_tui.transcript.folds import FoldKey

# The last turn is over in these; an earlier one always is, as a user's message follows it.
OVER: frozenset[ChatStatus] = frozenset({"waiting", "paused"})
LEAST_STEPS = 2  # one step is a line of its own already


class Steps(NamedTuple):
    """Consecutive steps, oldest first. `calls` counts their calls, `took_ms` is None if unknown."""

    ids: tuple[int, ...]
    calls: int
    took_ms: int | None

    @property
    def key(self) -> FoldKey:
        """The fold of the run, named by the last step, as older ones may be paged in above."""
        return FoldKey("steps", str(self.ids[-1]))


def runs_of_steps(
    messages: Sequence[Message],
    results: Mapping[str, ToolResult],
    status: ChatStatus,
    held: Set[int],
) -> list[Steps]:
    """Return the runs in `messages`, those that are shown.

    `held` are ids of steps that do not fold, as the user reads them.
    """
    runs: list[Steps] = []
    for turn, over in _turns(messages, status):
        if not over:
            continue
        run: list[Message] = []
        for message in [*turn, None]:
            if message is not None and message.id not in held and _folds(message, results):
                run.append(message)
                continue
            if len(run) >= LEAST_STEPS:
                runs.append(_steps(run, results))
            run = []
    return runs


def _turns(messages: Sequence[Message], status: ChatStatus) -> Iterator[tuple[list[Message], bool]]:
    """Yield the messages after each user's message, and whether that turn is over."""
    turn: list[Message] = []
    for message in messages:
        if message.role == "user":
            yield turn, True
            turn = []
        else:
            turn.append(message)
    yield turn, status in OVER


def _folds(message: Message, results: Mapping[str, ToolResult]) -> bool:
    """Return whether a message is a step whose calls succeeded and asked the user nothing."""
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if not calls or message.finish not in {None, "tool_calls", "stop"}:
        return False
    if any(isinstance(part, Boundary) for part in message.parts):
        return False
    found = [results.get(call.id) for call in calls]
    return all(result is not None and not result.is_error for result in found) and not any(
        call.name in TALKING for call in calls
    )


def _steps(run: Sequence[Message], results: Mapping[str, ToolResult]) -> Steps:
    calls = [part.id for message in run for part in message.parts if isinstance(part, ToolCall)]
    parts = [message.runtime_ms for message in run]
    parts += [results[call].duration_ms for call in calls]
    known = [part for part in parts if part is not None]
    return Steps(tuple(message.id for message in run), len(calls), sum(known) if known else None)

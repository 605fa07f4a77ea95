"""Recorded chats: requests to the store, and the chat's state after each.

A recording is a JSON file: a title and steps. A step names a request and its arguments, and has its
result: the state, the six counters, history and queue, or the refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from palaver.wire.actions import CallAnswer
from palaver.wire.messages import Part, Text, ToolCall, ToolResult
from palaverd.chatstate.errors import TransitionError
from palaverd.store.calls import WantedCall
from palaverd.store.check import violations
from palaverd.store.history import NewMessage, NewUserMessage, open_calls, queue_ids
from palaverd.store.locked import LockedChat
from palaverd.store.sync import load_page, load_queue
from palaverd.store.transitions import (
    archive,
    edit,
    interrupt,
    ownership,
    queue,
    required_action,
    retry,
    send,
    turn,
)
from support.chats import said
from support.interleaving import World
from support.store import ERROR, OWNER, retry_info

FOLDER = Path(__file__).parents[1] / "store" / "recorded"
START_MS = 1_735_689_600_000  # the time of the test clock


class Step(msgspec.Struct, omit_defaults=True):
    """One request and its result."""

    do: str
    what: dict[str, Any] = {}
    became: dict[str, Any] = {}


class Recording(msgspec.Struct):
    """One chat's requests. The chat begins with a message `m0`."""

    title: str
    steps: list[Step]


def _message(chat: LockedChat, index: int) -> int:
    page, _ = load_page(chat.connection, chat.row.chat_id, limit=200)
    return page[::-1][index].id


def _queued(chat: LockedChat, index: int) -> int:
    return queue_ids(chat.connection, chat.row.chat_id)[index]


def _respond(chat: LockedChat, text: str, calls: tuple[str, ...] = ()) -> None:
    parts: list[Part] = [Text(text), *(ToolCall(id=c, name="ask", arguments="{}") for c in calls)]
    turn.commit_response(chat, NewMessage(role="assistant", parts=parts))
    if not calls:
        turn.finish_turn(chat)


def _results(chat: LockedChat) -> None:
    calls = open_calls(chat.connection, chat.row.chat_id)
    results = [ToolResult(call_id=call.id, text=f"result of {call.id}") for call in calls]
    turn.commit_results(chat, results)


def _require(chat: LockedChat, deadlines: dict[str, int | None]) -> None:
    calls = [
        WantedCall(call, "result", None if after is None else START_MS + after)
        for call, after in deadlines.items()
    ]
    required_action.require_action(chat, calls)


def _answer(chat: LockedChat, call: str) -> None:
    given = CallAnswer(call_id=call, text=f"result of {call}")
    required_action.complete_action(chat, chat.row.turn_version, [given], OWNER)


# The requests of recordings; turns and histories are the current ones, unless given.
REQUESTS: dict[str, Callable[..., object]] = {
    "send": lambda c, text: send.send(c, NewUserMessage(text)),
    "send_interrupt": lambda c, text: send.send_interrupt(c, NewUserMessage(text)),
    "send_steer": lambda c, text: send.send_steer(c, NewUserMessage(text)),
    "edit": lambda c, index, text: edit.edit(
        c, _message(c, index), NewUserMessage(text), c.row.history_version
    ),
    "clear": lambda c: edit.clear_context(c, c.row.history_version),
    "compact": edit.request_compaction,
    "edit_queued": lambda c, index, text, model=None: queue.edit_queued(
        c, _queued(c, index), NewUserMessage(text, model)
    ),
    "delete_queued": lambda c, index: queue.delete_queued(c, _queued(c, index)),
    "promote": lambda c, index: queue.promote_queued(c, _queued(c, index), c.row.turn_version),
    "reverse": lambda c: queue.reorder_queued(c, queue_ids(c.connection, c.row.chat_id)[::-1]),
    "hold": queue.hold_queue,
    "release": queue.release_queue,
    "interrupt": lambda c, hold=False, turn=None: interrupt.interrupt(
        c, c.row.turn_version if turn is None else turn, hold_queue=hold
    ),
    "resume": lambda c, at=None: retry.resume(c, c.row.turn_version, at),
    "skip_backoff": lambda c: retry.skip_backoff(c, c.row.turn_version, c.row.retry_version),
    "answer": _answer,
    "archive": lambda c: archive.archive([c]),
    "unarchive": lambda c: archive.unarchive([c], None),
    "acquire": lambda c, runner: ownership.acquire(c, "worker", runner),
    "give_back": ownership.release,
    "attempt": lambda c: turn.record_attempt(c, "sonnet"),
    "retry": lambda c: turn.record_retry(c, retry_info()),
    "respond": _respond,
    "results": _results,
    "require": _require,
    "pass_deadlines": required_action.cancel_action,
    "stopped": lambda c, partial=None: interrupt.finish_interruption(
        c, NewMessage(role="assistant", parts=[Text(partial)]) if partial else None
    ),
    "fail": lambda c: turn.finish_error(c, ERROR),
    "abandon_compaction": edit.abandon_compaction,
}


def replay(connection: Connection, recording: Recording) -> Recording:
    """Apply a recording to the store, and return it with the new results."""
    with connection.begin() as transaction:
        world = World(connection)
        steps = [Step(step.do, step.what, _became(world, step)) for step in recording.steps]
        transaction.rollback()
    return Recording(recording.title, steps)


def _became(world: World, step: Step) -> dict[str, Any]:
    refused = None
    try:
        world.apply(lambda chat: REQUESTS[step.do](chat, **step.what))
    except TransitionError as error:
        refused = str(error)
    assert violations(world.connection, world.chat_id) == []
    row = world.row
    became: dict[str, Any] = {
        "state": row.state.name,
        "snapshot": row.snapshot_version,
        "history": row.history_version,
        "turn": row.turn_version,
        "queue": row.queue_version,
        "retry": row.retry_version,
        "attempt": row.generation_attempt,
        "messages": [f"{m.revision} {m.role}: {said(m)}" for m in world.history()],
        "queued": [
            f"{one.content} (steers)" if one.steer_turn == row.turn_version else one.content
            for one in load_queue(world.connection, world.chat_id)
        ],
    }
    return became | ({"refused": refused} if refused is not None else {})


def load(path: Path) -> Recording:
    return msgspec.json.decode(path.read_bytes(), type=Recording)


def save(path: Path, recording: Recording) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(recording), indent=1) + b"\n")

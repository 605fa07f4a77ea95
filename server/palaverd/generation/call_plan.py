"""What to do about each open call of a step. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from palaver.wire.messages import ToolCall, ToolResult
from palaverd.store.calls import Identity, RunState, StoredCall
from palaverd.tools.failures import ToolError
from palaverd.tools.tool import Actor, Asker, Reader, Tool
from palaverd.tools.toolbox import Unavailable


class Ended(msgspec.Struct, frozen=True):
    """A call that has its result: it was refused, or ran before."""

    result: ToolResult


class Look(msgspec.Struct, frozen=True):
    """A call to run that changes nothing."""

    call: Identity
    tool: Reader[Any]
    given: Any


class Act(msgspec.Struct, frozen=True):
    """A call to run that has effects. `before` is its journal entry, if it began before."""

    call: Identity
    tool: Actor[Any]
    given: Any
    before: StoredCall | None


class Ask(msgspec.Struct, frozen=True):
    """A call that a client answers."""

    call: Identity
    tool: Asker[Any]


Planned = Ended | Look | Act | Ask


def plan(
    calls: Sequence[tuple[int, ToolCall]],
    stored: Mapping[str, StoredCall],
    finished: Mapping[str, ToolResult],
    find: Callable[[str], Tool | Unavailable],
) -> list[Planned]:
    """Return what to do about each open call, in call order.

    Args:
        calls: the calls, each with the id of its message.
        stored: the journal's entries of them.
        finished: results that are known beside the journal, by call id.
        find: the tool of a name.
    """
    planned = [
        Ended(finished[call.id])
        if call.id in finished
        else _plan(message, call, stored.get(call.id), find)
        for message, call in calls
    ]
    if len(planned) == 1:
        return planned
    return [_alone(one) if isinstance(one, Ask) and one.tool.exclusive else one for one in planned]


def groups(planned: Sequence[Planned]) -> Iterator[list[Look] | Act]:
    """Yield what to run, in order: calls that only read together, one with effects alone.

    A call that reads after one with effects sees them.
    """
    looks: list[Look] = []
    for one in planned:
        if isinstance(one, Look):
            looks.append(one)
        elif isinstance(one, Act):
            if looks:
                yield looks
            looks = []
            yield one
    if looks:
        yield looks


def digest(call: ToolCall) -> str:
    """Return the SHA-256 of a call's tool and arguments, in hexadecimal."""
    return hashlib.sha256(f"{call.name}\0{call.arguments}".encode()).hexdigest()


def _plan(
    message_id: int,
    call: ToolCall,
    before: StoredCall | None,
    find: Callable[[str], Tool | Unavailable],
) -> Planned:
    if before is not None and before.result is not None:
        return Ended(before.result)
    tool = find(call.name)
    if isinstance(tool, Unavailable):
        return _refused(call, tool.why)
    try:
        given = tool.read(call.arguments)
    except ToolError as error:
        return _refused(call, str(error))
    identity = Identity(call.id, message_id, call.name, digest(call))
    match tool:
        case Reader():
            return Look(identity, tool, given)
        case Actor():
            begun = before is not None and before.state is RunState.STARTED
            return Act(identity, tool, given, before if begun else None)
        case Asker():
            return Ask(identity, tool)


def _alone(ask: Ask) -> Ended:
    name = ask.call.tool
    why = f"{name} must be the only call of its step: call it again, alone."
    return Ended(ToolResult(call_id=ask.call.call_id, text=why, is_error=True))


def _refused(call: ToolCall, why: str) -> Ended:
    return Ended(ToolResult(call_id=call.id, text=why, is_error=True))

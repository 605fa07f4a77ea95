"""Tools: the name, the parameters, and the functions of each.

A `Reader` changes nothing. An `Actor` first says what it intends, which changes nothing either, and
acts once that is in the journal. An `Asker` is answered by a client. `told` returns how a model is
told of the tool, `read` its arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from palaver.misfits import find_json_misfit
from palaver.wire.messages import Picture
from palaverd.providers.neutral import ToolSpec
from palaverd.tools.failures import Misused
from palaverd.tools.running import Running
from palaverd.tools.schema import schema_of

P = TypeVar("P")


class Outcome(msgspec.Struct, frozen=True):
    """What a call gave: text for the model, and perhaps a picture.

    A text beyond the call's budget is clipped, and kept whole as a file.
    """

    text: str
    is_error: bool = False
    picture: Picture | None = None


class Intent(msgspec.Struct, frozen=True):
    """What a call is about to do. `act` does it.

    `trace` is JSON that the journal keeps, by which the outcome can be found if this process ends
    meanwhile; see `Actor.find`.
    """

    act: Callable[[], Awaitable[Outcome]]
    trace: str | None = None


class NotBegun(msgspec.Struct, frozen=True):
    """A call whose process ended before it had any effect: it may run now."""


class Unknown(msgspec.Struct, frozen=True):
    """A call that may have had its effect, or a part of it. `why` is a sentence for the model."""

    why: str


Found = Outcome | NotBegun | Unknown


class Reader(msgspec.Struct, Generic[P], frozen=True):
    """A tool without effects. It may run beside others, and again.

    Raises:
        ToolError: `look` could not do it.
    """

    name: str
    told: Callable[[], ToolSpec]
    read: Callable[[str], P]
    look: Callable[[Running, P], Awaitable[Outcome]]
    needs_workspace: bool = False


class Actor(msgspec.Struct, Generic[P], frozen=True):
    """A tool with effects. Calls run one after another, in their order.

    `intend` raises ToolError if it cannot be done, and changes nothing. `find` gets the trace of a
    call that had begun when its process ended, and returns what came of it.
    """

    name: str
    told: Callable[[], ToolSpec]
    read: Callable[[str], P]
    intend: Callable[[Running, P], Awaitable[Intent]]
    find: Callable[[Running, P, str | None], Awaitable[Found]]
    needs_workspace: bool = False


class Asker(msgspec.Struct, Generic[P], frozen=True):
    """A tool whose result a client gives. `deadline_s` is how long (seconds) it waits, if not for
    ever; an `exclusive` one must be the only call of its step.
    """

    name: str
    told: Callable[[], ToolSpec]
    read: Callable[[str], P]
    deadline_s: float | None = None
    exclusive: bool = False


Tool = Reader[Any] | Actor[Any] | Asker[Any]


def telling(
    name: str, description: str, parameters: type[msgspec.Struct]
) -> Callable[[], ToolSpec]:
    """Return a function that returns how a model is told of a tool.

    Made at its first call: a start needs no schemas.
    """

    @cache
    def told() -> ToolSpec:
        return ToolSpec(name, inspect.cleandoc(description), schema_of(parameters))

    return told


def reading(name: str, parameters: type[P]) -> Callable[[str], P]:
    """Return a function from a call's arguments, JSON text as the model wrote it, to their type.

    It raises Misused, which says what does not fit and what would.
    """

    def read(arguments: str) -> P:
        text = arguments.strip() or "{}"
        try:
            try:
                return msgspec.json.decode(text, type=parameters)
            except msgspec.ValidationError:  # raised at the first misfit: the rest may be broken
                raise Misused(_misfit(name, text.encode(), parameters)) from None
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise Misused(f"The arguments of {name} are not JSON: {error}.") from None

    return read


def _misfit(name: str, text: bytes, parameters: type) -> str:
    found = find_json_misfit(text, parameters)
    match found.problem:
        case "missing":
            return f"{name} needs the argument {found.path}."
        case "unknown":
            return f"{name} has no argument {found.path}; it has {', '.join(found.allowed)}."
        case "repeated":
            return f"The argument {found.path} is given twice."
        case "refused":
            return f"{name} refuses these arguments: {found.value}."
        case _:
            if not found.path:
                return f"The arguments of {name} must be a JSON object."
            return f"The argument {found.path} of {name} must be {found.wanted}."

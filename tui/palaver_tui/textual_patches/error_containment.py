"""Keeps an error of one part from ending the client.

Without this an error in a handler ends the loop that gives the widget its messages, and the whole
application with it; one in drawing does, too. Here the part lives on, and the application is told.

Textual has no hook for it. `App._handle_exception` is where every error arrives, but only after the
loop of the widget is over; a worker's or a timer's loop goes on, a widget's does not. A subclass
could catch what its own handlers raise, but fields, toasts, screens and scroll bars are the
library's. So four methods of two of its classes are changed, each by one around it, and nothing of
what they do is written again. They are private: `tests/tui/test_textual_patches.py` fails when one
of them is gone or is called otherwise, and `pyproject.toml` lets in no Textual that was not tried.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from rich.segment import Segment
from textual._context import active_app
from textual.geometry import Region
from textual.message import Message
from textual.message_pump import MessagePump
from textual.strip import Strip
from textual.visual import Visual, visualize
from textual.widget import Widget

NOT_DRAWN: Final = "could not be drawn"
W = TypeVar("W", bound=Widget)
Draw = Callable[[W, Region], list[Strip]]
Dispatch = Callable[[MessagePump, Message], Awaitable[None]]
Flush = Callable[[MessagePump], Awaitable[None]]


@runtime_checkable
class ContainsErrors(Protocol):
    """An application that goes on after an error."""

    def contains(self, error: Exception) -> bool:
        """Record `error`; return whether the client goes on. If not, it is raised."""


def _contained(error: Exception) -> bool:
    app = active_app.get(None)
    return isinstance(app, ContainsErrors) and app.contains(error)


def _guarded_dispatch(dispatch: Dispatch) -> Dispatch:
    """Guard what a message does."""

    @wraps(dispatch)
    async def guarded(self: MessagePump, message: Message) -> None:
        try:
            await dispatch(self, message)
        except Exception as error:
            if not _contained(error):
                raise

    return guarded


def _each_by_itself(flush: Flush) -> Flush:
    """Let what is to be called next be called one by one: Textual drops what is behind an error."""

    @wraps(flush)
    async def one_by_one(pump: MessagePump) -> None:
        waiting = [*pump._next_callbacks]
        pump._next_callbacks.clear()
        later = []
        for callback in waiting:
            pump._next_callbacks.append(callback)
            await flush(pump)
            later += pump._next_callbacks
            pump._next_callbacks.clear()
        pump._next_callbacks += later

    return one_by_one


def _guarded_render(render: Callable[[Widget], Visual]) -> Callable[[Widget], Visual]:
    """Guard what a widget shows: what it measures itself by."""

    @wraps(render)
    def guarded(self: Widget) -> Visual:
        try:
            return render(self)
        except Exception as error:
            if not _contained(error):
                raise
            return visualize(self, NOT_DRAWN, markup=False)

    return guarded


def guarded_lines(draw: Draw[W]) -> Draw[W]:
    """Guard a `render_lines`: rows that fail are one line that says so, and empty ones."""

    @wraps(draw)
    def guarded(self: W, crop: Region) -> list[Strip]:
        try:
            return draw(self, crop)
        except Exception as error:
            if not _contained(error):
                raise
            said = NOT_DRAWN[crop.x :] if crop.y == 0 else ""
            first = Strip([Segment(said, self.rich_style)]).adjust_cell_length(crop.width)
            return [first, *[Strip.blank(crop.width)] * (crop.height - 1)][: crop.height]

    return guarded


# What is changed: a method of the library's, and what is put around it.
CHANGED: tuple[tuple[type[MessagePump], str, Callable[[Any], Any]], ...] = (
    (MessagePump, "_dispatch_message", _guarded_dispatch),
    (MessagePump, "_flush_next_callbacks", _each_by_itself),
    (Widget, "_render", _guarded_render),
    (Widget, "render_lines", guarded_lines),
)


def guard_library() -> None:
    """Guard every message, callback and drawing of Textual's. Calling it again changes nothing.

    It is the library's own classes that are changed, as widgets of its own are on the screen too.
    An application that does not keep errors notices nothing of it.
    """
    for owner, name, around in CHANGED:
        method = getattr(owner, name)
        if not hasattr(method, "__wrapped__"):
            setattr(owner, name, around(method))

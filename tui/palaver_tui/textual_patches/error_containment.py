"""Error containment: an error in one widget does not end the client.

Without this an error in a handler ends the widget's message loop, and the whole application with
it; so does one in drawing. With it the widget goes on, and the application is told.

Textual has no hook for this. `App._handle_exception` gets every error, but only after the widget's
loop has ended; the loop of a worker or a timer goes on, a widget's does not. A subclass could catch
errors of its own handlers, but fields, toasts, screens and scroll bars are Textual's. So four
methods of two of its classes are wrapped; none is written again. They are private:
`tests/tui/test_textual_patches.py` fails if one of them is gone or has another signature, and
`pyproject.toml` admits only versions of Textual that were tested.
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
    """An application that continues after an error."""

    def contains(self, error: Exception) -> bool:
        """Record `error`; return whether the client continues. If not, it is raised."""


def _contained(error: Exception) -> bool:
    app = active_app.get(None)
    return isinstance(app, ContainsErrors) and app.contains(error)


def _guarded_dispatch(dispatch: Dispatch) -> Dispatch:
    """Wrap the dispatch of a message: its errors are contained."""

    @wraps(dispatch)
    async def guarded(self: MessagePump, message: Message) -> None:
        try:
            await dispatch(self, message)
        except Exception as error:
            if not _contained(error):
                raise

    return guarded


def _each_by_itself(flush: Flush) -> Flush:
    """Wrap the call of waiting callbacks: one by one, as Textual drops all that follow an error."""

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
    """Wrap a widget's `_render`, which also measures it: on an error it shows `NOT_DRAWN`."""

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
    """Wrap a `render_lines`: on an error it returns `NOT_DRAWN` in one row, and blank rows."""

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


# The wrapped methods of Textual, each with its wrapper.
CHANGED: tuple[tuple[type[MessagePump], str, Callable[[Any], Any]], ...] = (
    (MessagePump, "_dispatch_message", _guarded_dispatch),
    (MessagePump, "_flush_next_callbacks", _each_by_itself),
    (Widget, "_render", _guarded_render),
    (Widget, "render_lines", guarded_lines),
)


def guard_library() -> None:
    """Wrap Textual's methods for messages, callbacks and drawing. A second call has no effect.

    Textual's own classes are changed, as its own widgets are on the screen, too. An application
    that does not contain errors behaves as before.
    """
    for owner, name, around in CHANGED:
        method = getattr(owner, name)
        if not hasattr(method, "__wrapped__"):
            setattr(owner, name, around(method))

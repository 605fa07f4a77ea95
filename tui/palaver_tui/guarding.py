"""Keeps an error of one part from ending the client.

In Textual an error in a handler ends the loop that gives the widget its messages, and the whole
application with it; one in drawing does, too. Here the part lives on, and the application is told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from rich.segment import Segment
from textual._callback import invoke
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


@runtime_checkable
class Keeps(Protocol):
    """An application that goes on after an error."""

    def keeps(self, error: Exception) -> bool:
        """Take note of `error`; return whether the client goes on, else it is to be raised."""


def _kept(error: Exception) -> bool:
    app = active_app.get(None)
    return isinstance(app, Keeps) and app.keeps(error)


def guard_library() -> None:
    """Guard every message, callback and drawing of Textual's. Calling it again changes nothing.

    It is the library's own classes that are changed, as widgets of its own are on the screen too.
    An application that does not keep errors notices nothing of it.
    """
    if getattr(MessagePump, "_palaver_guards", False):
        return
    pump: Any = MessagePump
    pump._palaver_guards = True
    pump._dispatch_message = _guarded_dispatch(MessagePump._dispatch_message)
    pump._flush_next_callbacks = _flush_next_callbacks
    widget: Any = Widget
    widget._render = _guarded_render(Widget._render)
    widget.render_lines = guarded_lines(Widget.render_lines)


def _guarded_dispatch(
    dispatch: Callable[[MessagePump, Message], Awaitable[None]],
) -> Callable[[MessagePump, Message], Awaitable[None]]:
    @wraps(dispatch)
    async def guarded(self: MessagePump, message: Message) -> None:
        try:
            await dispatch(self, message)
        except Exception as error:
            if not _kept(error):
                raise

    return guarded


async def _flush_next_callbacks(self: MessagePump) -> None:
    """Call what is to be called next: all of it, also after one that failed."""
    callbacks = self._next_callbacks.copy()
    self._next_callbacks.clear()
    for callback in callbacks:
        try:
            with self.prevent(*callback._prevent):
                await invoke(callback.callback)
        except Exception as error:  # noqa: BLE001 - handed to the application
            if not _kept(error):
                self.app._handle_exception(error)
                break


def _guarded_render(render: Callable[[Widget], Visual]) -> Callable[[Widget], Visual]:
    @wraps(render)
    def guarded(self: Widget) -> Visual:
        try:
            return render(self)
        except Exception as error:
            if not _kept(error):
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
            if not _kept(error):
                raise
            said = NOT_DRAWN[crop.x :] if crop.y == 0 else ""
            first = Strip([Segment(said, self.rich_style)]).adjust_cell_length(crop.width)
            return [first, *[Strip.blank(crop.width)] * (crop.height - 1)][: crop.height]

    return guarded

"""The position in an answer at which a fault strikes. Pure: frames in, frames to send out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from palaverd.simulator.wire import Frame

Position = Literal[
    "head",  # before the response's head
    "start",  # after the head, before the first event
    "text",  # after a number of words
    "tool",  # in the middle of a tool call's arguments
    "end",  # after the last token, before the terminal event
    "terminal",  # after the terminal event
]
POSITIONS: tuple[Position, ...] = get_args(Position)


def before(frames: Sequence[Frame], at: Position, words: int) -> Sequence[Frame]:
    """Return the frames that are sent before the fault strikes.

    `words` applies to `text` alone: an answer with fewer is sent up to its last word. For `tool`,
    an answer without a tool call is sent up to its terminal event.
    """
    end = next((i for i, frame in enumerate(frames) if frame.kind == "terminal"), len(frames))
    if at in ("head", "start"):
        return frames[:0]
    if at == "terminal":
        return frames
    kind = {"text": "word", "tool": "arguments"}.get(at)
    places = [i for i, frame in enumerate(frames) if frame.kind == kind]
    if at == "tool" and places:
        # In the middle: at least one piece is sent, and one is not.
        return frames[: places[len(places) // 2]]
    if at == "text" and words < len(places):
        return frames[: places[words]]
    if at == "text" and places:
        return frames[: places[-1] + 1]
    return frames[:end]

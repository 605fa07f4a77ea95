"""The words on a frame.

Setting `border_title` draws all that is inside the frame as well. Without this a spinner in a title
draws the conversation eight times a second. The words are in `_border_title` and
`_border_subtitle`, which draw nothing.
"""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget


def entitle(widget: Widget, title: str, subtitle: str) -> None:
    """Set the words on the frame of `widget`, and draw the edges again whose words are others."""
    above, below = _content(title), _content(subtitle)
    width, height = widget.size
    gutter = widget.gutter
    edges = []
    if above != widget._border_title:
        widget._border_title = above
        edges.append(-gutter.top)
    if below != widget._border_subtitle:
        widget._border_subtitle = below
        edges.append(height + gutter.bottom - 1)
    if edges:
        rows = [Region(-gutter.left, y, width + gutter.width, 1) for y in edges]
        widget.refresh(*rows)


def _content(words: str) -> Content | None:
    return Content(words) if words else None

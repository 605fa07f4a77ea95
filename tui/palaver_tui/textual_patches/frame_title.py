"""Title and subtitle on a frame, set without drawing what is inside.

Setting `border_title` draws the widget inside the frame as well. Without this a spinner in a title
draws the conversation eight times a second. Setting `_border_title` and `_border_subtitle`, which
have the texts, draws nothing.
"""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget


def entitle(widget: Widget, title: str, subtitle: str) -> None:
    """Set title and subtitle on the frame of `widget`; draw only an edge whose text changed."""
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

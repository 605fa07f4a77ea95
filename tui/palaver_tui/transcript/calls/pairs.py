"""The arguments of a tool call by name, for tools without a renderer."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from palaver_tui.text.code import code_lines, highlight
from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.visible import visible, visible_line
from palaver_tui.text.wrap import wrap
from palaver_tui.transcript.calls.content import CallContent

# While a longer value without a line feed is written, only its two ends are shown.
SHOWN_OF_ROW = 1_000  # characters


def named_lines(content: CallContent, width: int) -> list[list[Line]]:
    """Return the lines of all arguments; their text, if it is not an object.

    While the first name streams in there are none.
    """
    text = content.text.strip()
    begins = content.grows and text.startswith("{")
    if not content.values and not begins and text not in {"", "{}"}:
        return [content.kept.code("", content.text, "json", width, grows=content.grows)]
    return [pair_lines(content, content.values, width)]


def pair_lines(content: CallContent, values: dict[str, Any], width: int) -> list[Line]:
    """Return a line for each value after its name; a text of several lines begins below it."""
    lines: list[Line] = []
    for name, value in values.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        head = Span(f"{visible_line(str(name))}: ", Face("muted"))
        if "\n" in text:
            lines.append(Line((head,)))
            lines += content.kept.code(name, text, "", width, grows=content.grows)
            continue
        if content.grows and len(text) > SHOWN_OF_ROW:
            text = f"{text[: SHOWN_OF_ROW // 2]} ⋯ {text[-SHOWN_OF_ROW // 2 :]}"
        lines += content.kept.once(
            f"value {name}", (text, width), partial(_pair, head, text, width)
        )
    return lines


def _pair(head: Span, text: str, width: int) -> list[Line]:
    rows = visible(text).split("\n")  # other characters than the line feed become one
    if len(rows) == 1:
        return [Line(row) for row in wrap([head, Span(rows[0])], width)]
    return [Line((head,)), *code_lines(highlight("\n".join(rows), ""), width)]

"""The renderers of tool calls' arguments, by the tool's name.

A renderer takes the call's data and a width in cells, and returns blocks of lines. It is called
while the arguments stream in, too: a value that is missing then has not arrived yet. Texts pass
through `visible` or `visible_line`; costly lines are kept with `content.kept`. A diff in the
arguments or the result is drawn instead, for every tool; the output is drawn below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

from palaver_tui.text.spans import Line
from palaver_tui.transcript.calls.content import CallContent
from palaver_tui.transcript.calls.pairs import named_lines, pair_lines

Renderer = Callable[[CallContent, int], list[list[Line]]]


def _command(content: CallContent, width: int) -> list[list[Line]]:
    """Draw a shell command, and its other arguments below."""
    command = content.values.get("command")
    if not isinstance(command, str):
        return named_lines(content, width)
    lines = content.kept.code("command", command, "bash", width, grows=content.grows)
    others = {name: value for name, value in content.values.items() if name != "command"}
    return [lines, pair_lines(content, others, width)]


def _written(content: CallContent, width: int) -> list[list[Line]]:
    """Draw the text of a file, in the language of its suffix."""
    text = content.values.get("content")
    if not isinstance(text, str):
        return named_lines(content, width)
    path = content.values.get("path")
    language = PurePosixPath(path).suffix.lstrip(".") if isinstance(path, str) else ""
    return [content.kept.code("content", text, language, width, grows=content.grows)]


def _nothing(content: CallContent, width: int) -> list[list[Line]]:
    return []


# Other tools are drawn by `named_lines`.
RENDERERS: Final[Mapping[str, Renderer]] = {
    "execute": _command,
    "write_file": _written,
    "read_file": _nothing,
    "ask_user": _nothing,
}

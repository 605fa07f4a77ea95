"""Messages as `palaver show` prints them."""

from __future__ import annotations

import pytest

from palaver.cli.messages import part_text
from palaver.wire.messages import Picture, ToolResult

CHART = Picture("image/webp", 640, 480, b"RIFF")


@pytest.mark.parametrize(
    ("result", "printed"),
    [
        (ToolResult("c", "drawn", picture=CHART), "drawn\n[picture: WebP 640x480]"),
        (ToolResult("c", "", picture=CHART), "[picture: WebP 640x480]"),
        (
            ToolResult("c", "no", is_error=True, picture=CHART),
            "[failed] no\n[picture: WebP 640x480]",
        ),
        (ToolResult("c", "only words"), "only words"),
    ],
)
def test_a_picture_is_told_in_a_line(result: ToolResult, printed: str) -> None:
    assert part_text(result) == printed

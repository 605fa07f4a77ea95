"""The files of messages in the conversation."""

from __future__ import annotations

from pathlib import Path

import pytest

from palaver.wire.messages import File, Message, Text
from tui.replay import T0
from tui.screen import client
from tui.test_client import with_chat


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_the_files_of_a_message_are_named_below_its_text(
    size: tuple[int, int], tmp_path: Path
) -> None:
    files = [
        File("f1", "screenshot.png", "image/png", 3000),
        File("f2", "a\x1b[2Jb.txt", "text/plain", 5),
    ]
    daemon = with_chat(Message(1, "user", [Text("What is it?"), *files], 1, T0))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=size) as me:
        await me.shows("What is it?", "+ screenshot.png (PNG, 2.9 KiB)", "b.txt (text, 5 bytes)")

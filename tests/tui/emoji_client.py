"""A real client on the current terminal, with emoji on all rows; it runs until `^q`.

Run by `test_cell_positions.py` in tmux: `python -m tui.emoji_client FOLDER`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, cast

from palaver.client import Connected, Endpoint
from palaver.wire.events import CaughtUp, MessageEvent, QueueUpdate
from palaver_tui.app import PalaverApp
from tui.replay import ENDPOINT, FixedClock, ReplayClient, answer, chat, queued, status, user

EMOJI = {
    "family": "👨‍👩‍👧‍👦",
    "tone": "👍🏽",
    "selector": "❤️",
    "keycap": "1️⃣",
    "flag": "🇫🇷",
    "tags": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "plain": "🎉",
    "combining": "e\u0301",
    "devanagari": "क्षि",
}


def emoji_daemon() -> ReplayClient:
    every = " ".join(EMOJI.values())
    rows = "\n".join(f"- {name} {one} {one} end" for name, one in EMOJI.items())
    table = "\n".join(f"| {name} | {one} |" for name, one in EMOJI.items())
    code = "\n".join(f"{name} = '{one}'" for name, one in EMOJI.items())
    text = f"{rows}\n\n| name | it |\n|---|---|\n{table}\n\n```python\n{code}\n```\n"
    daemon = ReplayClient()
    daemon.open(*(chat(name, f"{one} {name} {one}") for name, one in EMOJI.items()))
    daemon.stream_of("family").tell(
        Connected(),
        MessageEvent(user(1, every)),
        MessageEvent(answer(2, text)),
        status("paused", every),
        QueueUpdate([queued(1, every)], held=True),
        CaughtUp(3),
    )
    return daemon


async def main(folder: Path) -> None:
    async def connect() -> Endpoint:
        return ENDPOINT

    app = PalaverApp(
        connect,
        data_dir=folder,
        chat_id="family",
        clock=FixedClock(),
        client=cast("Any", emoji_daemon()),
        motion=False,
    )
    await app.run_async()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

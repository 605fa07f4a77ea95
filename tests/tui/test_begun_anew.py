"""Live output that the daemon no longer has begins anew: what was shown of it is dropped."""

from __future__ import annotations

from pathlib import Path

from palaver.wire.events import Incomplete
from palaver_tui.state.chat import Live, LiveBlock
from palaver_tui.state.growing_text import GrowingText
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.live import LiveSection
from palaver_tui.transcript.thoughts import ReasoningBlock
from tui.replay import part, user
from tui.screen import client
from tui.test_client import running


async def test_a_text_that_begins_anew_is_shown_once(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        stream.tell(part("Because of the air", episode="1.1"))
        await me.shows("Because of the air")
        stream.tell(Incomplete("1.1"))
        await me.hides("Because")
        stream.tell(part("Because of", episode="1.1"))
        await me.shows("Because of")
        stream.tell(Incomplete("1.1"), part("Be", episode="1.1"))  # drawn as one
        await me.hides("Because")
        stream.tell(part("cause of the air", 2, episode="1.1"))
        await me.shows("Because of the air")


def thinking(*texts: str) -> Live:
    blocks = [LiveBlock(n, "reasoning", GrowingText().plus(text)) for n, text in enumerate(texts)]
    return Live("3.1", tuple(blocks))


def test_reasoning_that_begins_anew_keeps_the_name_of_its_fold() -> None:
    section = LiveSection("m", "", labelled=True, calls=CallBlock)
    for live in (thinking("a long thought"), thinking("a lo"), thinking("a long thought", "more")):
        section.update(live, Folds(), lambda _: False)
    laid = [block.laid for block in section.stack.blocks]
    keys = [one.key for one in laid if isinstance(one, ReasoningBlock)]
    assert keys == [FoldKey("reasoning", "3.1", 0), FoldKey("reasoning", "3.1", 1)]

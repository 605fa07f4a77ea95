"""The usual alternative to Palaver's client: a Textual Markdown widget for each message.

Both are measured with texts that are short enough for the alternative to finish.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import process_time

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Markdown

from bench.figures import Aim, Effort, Figure, Kind
from bench.terminal_client import SIZE, history, shown
from bench.terminal_texts import fence, prose
from palaver.wire.messages import Text
from palaver_tui.timing import FRAMES_PER_SECOND

RATE = 100.0  # tokens per second
FEW, MANY = 20, 100  # messages
TOKENS, LINES = 900, 60  # tokens of prose, lines of a fence
LESS_AIM = Aim(Kind.RATIO_AT_MOST, 1)


async def run(effort: Effort) -> list[Figure]:
    """Stream the same answers into both."""
    text, code = prose(effort.count(TOKENS, 60)), fence(effort.count(LINES, 5))
    few, many = effort.count(FEW, 2), effort.count(MANY, 4)
    figures = []
    for what, count, tokens in (
        (f"{TOKENS} tokens of prose after {FEW} messages", few, text),
        (f"{TOKENS} tokens of prose after {MANY} messages", many, text),
        (f"a fence of {LINES} lines after {FEW} messages", few, code),
    ):
        theirs = await _usual(count, tokens)
        async with shown(history(count)) as fed:
            ours = await fed.feed(tokens, RATE)
        each = 1e6 / len(tokens)
        figures.append(
            Figure(
                f"CPU per token, {what}",
                ours * each,
                "us",
                theirs * each,
                "Markdown widgets",
                LESS_AIM,
            )
        )
    return figures


class Usual(App[None]):
    """A column of Markdown widgets that follows its end."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self._texts = texts

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            for text in self._texts:
                yield Markdown(text)
            yield Markdown(id="live")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).anchor()


@asynccontextmanager
async def _mounted(count: int) -> AsyncIterator[tuple[Usual, Pilot[None]]]:
    texts = [
        part.text for message in history(count) for part in message.parts if isinstance(part, Text)
    ]
    app = Usual(texts)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        yield app, pilot


async def _usual(count: int, tokens: Sequence[str]) -> float:
    """Return the CPU seconds of streaming `tokens` below `count` messages."""
    each = max(1, round(RATE / FRAMES_PER_SECOND))
    async with _mounted(count) as (app, _pilot):
        live = app.query_one("#live", Markdown)
        began = process_time()
        for start in range(0, len(tokens), each):
            # One awaited write for a frame's tokens, as by a `MarkdownStream`.
            await live.append("".join(tokens[start : start + each]))
            app.screen._on_timer_update()
            await asyncio.sleep(0)
        return process_time() - began

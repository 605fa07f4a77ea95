"""The view keeps its line inside a block that grows, even if the whole block is laid out again."""

import re
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from palaver_tui.widgets.transcript.widget import Transcript
from tui.replay import answer, part
from tui.screen import Client, client
from tui.test_client import running
from tui.test_folds import in_view

_NUMBERS = count(100)
UP = 47  # lines from the end, which is inside each of the blocks


def words(many: int) -> str:
    """Return `many` unique words, each of which identifies its line."""
    return " ".join(f"w{next(_NUMBERS)}x" for _ in range(many))


# Rows that wrap; then a cell wider than all before: all rows are laid out again with new columns.
TABLE = "| n | what it does |\n|---|---|\n" + "".join(f"| {n} | {words(28)} |\n" for n in range(50))
WIDE = f"| {words(1)} | {words(3)} |\n| {'wide' * 9} | {words(40)} |\n| 3 | {words(2)} |\n"
FENCE = "```python\n" + "".join(f"{words(1)} = '{words(2)}'  # {words(1)}\n" for _ in range(90))
CODE = "".join(f"{words(2)} = 1\n" for _ in range(30))


def items(many: int) -> str:
    return "".join(f"- {words(2)} **{words(1)}** {words(20)}\n" for _ in range(many))


def loose(many: int) -> str:
    return "".join(f"1. {words(30)}\n\n   {words(25)}\n\n" for _ in range(many))


def inside(text: str, first: str, rest: str) -> str:
    """Return a text in an item or a quote: `first` before its first line, `rest` before others."""
    lines = text.splitlines(keepends=True)
    return first + rest.join(lines)


PROSE = f"{words(1500)} **{words(20)}** {words(30)}"
GROWING = {
    "a table": (TABLE, WIDE),
    "a table that ends": (TABLE, f"{WIDE}\n{words(50)}\n\n"),
    "a table that ends at once": (TABLE, f"\n{words(50)}\n\n"),
    "a short table that ends": (TABLE[:3500] + "|\n", f"\n{words(50)}\n\n"),
    "a fence": (FENCE, CODE),
    "a fence that ends": (FENCE, f"{CODE}```\n\n{words(9)}\n\n"),
    "a list": (items(40), items(9)),
    "a loose list": (loose(25), loose(9)),
    "a quote": (inside(items(40), "> ", "> "), inside(items(9), "> ", "> ") + f"\n{words(9)}\n\n"),
    "a paragraph": (PROSE, f" {words(300)}\n\n{words(9)}\n\n"),
    "a table in an item": ("- top\n\n" + inside(TABLE, "  ", "  "), inside(WIDE, "  ", "  ")),
    "a table in a quote": (inside(TABLE, "> ", "> "), inside(WIDE, "> ", "> ")),
    "a table in a quote in an item": (
        "- > top\n  >\n" + inside(TABLE, "  > ", "  > "),
        inside(WIDE, "  > ", "  > ") + "\nend\n\n",
    ),
    "a table in an item that ends": (
        "- top\n\n" + inside(TABLE, "  ", "  "),
        inside(WIDE, "  ", "  ") + f"\n{words(30)}\n\n",
    ),
    "a fence in an item": (
        "- top\n\n" + inside(FENCE, "  ", "  "),
        inside(f"{CODE}```\n", "  ", "  ") + f"\n{words(9)}\n\n",
    ),
    "a list in a list": ("- top\n" + inside(items(40), "  ", "  "), inside(items(9), "  ", "  ")),
}


async def tell(one: Client, text: str, at: int, step: int) -> None:
    for start in range(0, len(text), step):
        shown = one.app._frames.painted
        one.daemon.stream_of("a").tell(part(text[start : start + step], at + start, episode="3.1"))
        await one.until(partial(lambda shown: one.app._frames.painted > shown, shown))


def known(line: str) -> list[str]:
    """Return the unique words of a line."""
    return re.findall(r"w\d+x", line)


def below(transcript: Transcript, word: str) -> int:
    """Return the number of lines below the one with `word`."""
    column = transcript.viewport.column
    lines = [column.line(y)[2].text for y in range(column.height)]
    (y,) = [number for number, text in enumerate(lines) if word in text]
    return len(lines) - 1 - y


def settled(one: Client) -> bool:
    column = one.transcript.viewport.column
    return one.transcript.layout_work.job is None and column.job() is None


@pytest.mark.parametrize("name", GROWING)
async def test_the_first_line_in_view_stays_and_what_is_new_is_counted(
    tmp_path: Path, name: str
) -> None:
    before, more = GROWING[name]
    last = known(before)[-1]
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await tell(me, before, 0, 997)
        transcript = me.transcript
        transcript.viewport.move(-UP)
        await me.pilot.pause()
        first = next(word for line in in_view(me) for word in known(line))
        row = next(number for number, line in enumerate(in_view(me)) if first in line)
        under = below(transcript, last)
        for start in range(0, len(more), 61):
            await tell(me, more[start : start + 61], len(before) + start, 61)
            assert first in in_view(me)[row]
            assert transcript.viewport.new_lines == below(transcript, last) - under
        await me.until(lambda: settled(me))
        await me.pilot.pause()
        assert first in in_view(me)[row]
        assert transcript.viewport.new_lines == below(transcript, last) - under > 0
        await me.press("ctrl+t", "G")
        assert transcript.viewport.following
        assert transcript.viewport.new_lines == 0

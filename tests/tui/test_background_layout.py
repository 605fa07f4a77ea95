"""A long finished block is laid out in a thread, and shown as before until that is done."""

import threading
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from palaver.wire.events import MessageEvent
from palaver_tui.text import document as documents
from palaver_tui.text.document import KEEP_FROM, MarkdownDocument
from palaver_tui.text.spans import Line
from tui.replay import answer, part, status
from tui.screen import Client, client
from tui.test_client import running
from tui.test_folds import in_view
from tui.test_layout import whole

PROSE = "".join(f"word{number} **b{number}** " for number in range(500))
FENCE = (
    "```python\nx = '''\n" + "".join(f"y{n} = {n}\n" for n in range(60)) + "'''\n" + "z = 1\n" * 600
)
# While it grows, its columns are widened in steps. When it is complete, they are narrower, and rows
# that were wrapped are not wrapped any more.
TABLE = "| n | what |\n|---|---|\n" + "".join(
    f"| {n} | {' '.join(f'w{n}x{i}' for i in range(n % 9 + 14))} |\n" for n in range(80)
)
BLOCKS = {
    "a fence": FENCE + "```\n",
    "a fence without an end": FENCE,
    "a paragraph": PROSE + "\n\n",
    "a table": TABLE + "\n",
    "an item": "- top\n"
    + "".join(f"  - item {n} with *words*\n" for n in range(200))
    + "\nafter\n",
    "a quote": "".join(f"> line {n} of it\n" for n in range(300)) + "\n",
}
WIDTH = 96


def grown(text: str, step: int = 40) -> MarkdownDocument:
    document = MarkdownDocument()
    for start in range(0, len(text), step):
        document.feed(text[start : start + step])
        document.expect(WIDTH)
    return document


@pytest.mark.parametrize("step", [7, 997])
@pytest.mark.parametrize("name", BLOCKS)
def test_what_a_job_gives_makes_the_lines_of_the_whole(name: str, step: int) -> None:
    document = grown(BLOCKS[name], step)
    before = list(document.lines)
    document.finish()
    changed = document.expect(WIDTH)
    shown = before[:changed] + document.lines[changed:]
    assert shown == document.lines
    job = document.job()
    if step < 500:
        assert job is not None
    while job is not None:
        for at, removed, added in document.put(job, job.lines()):
            shown[at : at + removed] = added
        assert shown == document.lines
        job = document.job()
    assert document.lines == whole(BLOCKS[name], WIDTH)


@pytest.mark.parametrize("name", BLOCKS)
def test_until_then_it_looks_as_it_did(name: str) -> None:
    document = grown(BLOCKS[name].rstrip("\n"))
    before = [line.text for line in document.lines]
    document.feed("\n\n")
    document.finish()
    document.expect(WIDTH)
    assert document.job() is not None
    after = [line.text for line in document.lines]
    assert after[: len(before) - 3] == before[:-3]
    assert abs(len(after) - len(before)) <= 2


def test_what_a_job_gives_for_another_width_is_dropped() -> None:
    document = grown(BLOCKS["a fence"])
    job = document.job()
    assert job is not None
    document.expect(50)
    assert document.put(job, job.lines()) == []
    document.layout(50)
    assert document.lines == whole(BLOCKS["a fence"], 50)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Record for each layout of a long block whether it ran in the main thread."""
    found: list[bool] = []
    draw = vars(documents)["markdown_lines"]

    def noted(text: str, *how: Any) -> list[Line]:
        if len(text) >= KEEP_FROM:
            found.append(threading.current_thread() is threading.main_thread())
        lines: list[Line] = draw(text, *how)
        return lines

    monkeypatch.setattr(documents, "markdown_lines", noted)
    return found


async def stream(one: Client, text: str, at: int = 0, step: int = 400) -> None:
    for start in range(0, len(text), step):
        shown = one.app._frames.painted
        piece = text[start : start + step]
        one.daemon.stream_of("a").tell(part(piece, at + start, episode="3.1"))
        await one.until(partial(lambda shown: one.app._frames.painted > shown, shown))


def settled(one: Client) -> bool:
    column = one.transcript.viewport.column
    return one.transcript.layout_work.job is None and column.job() is None


@pytest.mark.parametrize("name", BLOCKS)
async def test_no_long_block_is_laid_out_on_the_event_loop(
    tmp_path: Path, threads: list[bool], name: str
) -> None:
    text = BLOCKS[name]
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await stream(me, text)
        me.daemon.stream_of("a").tell(
            MessageEvent(answer(52, text), replaces="3.1"), status("waiting")
        )
        await me.until(lambda: me.transcript.viewport.column.sections[-1].key == 52)
        await me.until(lambda: settled(me))
        assert threads == [False]
        document = next(
            block.laid
            for block in me.transcript.viewport.column.sections[-1].stack.blocks
            if isinstance(block.laid, MarkdownDocument)
        )
        assert document.lines == whole(text, me.transcript.column_width - 2)


@pytest.mark.parametrize("up", [20, 100, 150])
async def test_nothing_moves_when_a_table_above_or_in_view_is_set_to_fit(
    tmp_path: Path, up: int
) -> None:
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await stream(me, TABLE)
        me.transcript.viewport.move(-up)
        await me.pilot.pause()
        first = in_view(me)[0].split("│")[2].split()[0]
        height = me.transcript.viewport.column.height
        await stream(me, "\nafter the table\n\n", len(TABLE))
        await me.until(lambda: settled(me))
        assert me.transcript.viewport.column.height != height
        assert first in in_view(me)[0].split()


async def test_leaving_while_a_block_is_laid_out_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    lines = documents.Job.lines

    def waits(job: documents.Job) -> list[Line]:
        begun.set()
        go_on.wait(5)
        return lines(job)

    monkeypatch.setattr(documents.Job, "lines", waits)
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await stream(me, BLOCKS["a fence"])
        await me.until(begun.is_set)
        await me.press("ctrl+t", "home")  # the client works meanwhile
        assert me.transcript.scroll_offset.y == 0
        go_on.set()


async def test_a_block_that_cannot_be_laid_out_stays_as_it_is_and_the_client_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[documents.Job] = []

    def fails(job: documents.Job) -> NoReturn:
        failed.append(job)
        raise ValueError("no such thing")

    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        with monkeypatch.context() as patched:
            patched.setattr(documents.Job, "lines", fails)
            await stream(me, BLOCKS["a fence"])
            await me.until(lambda: failed and settled(me))
            await me.shows("z = 1", "stays as it is", "no such thing")
        assert len(failed) == 1
        await stream(me, f"\n{BLOCKS['a paragraph']}after it\n", len(BLOCKS["a fence"]))
        await me.until(lambda: settled(me))
        await me.shows("after it")


async def test_code_is_plain_where_its_highlighter_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]  # has no types

    def fails(self: PythonLexer, text: str) -> NoReturn:
        raise RecursionError

    monkeypatch.setattr(PythonLexer, "get_tokens", fails)
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await stream(me, BLOCKS["a fence"])
        await me.until(lambda: settled(me))
        await me.shows("z = 1")
        inks = {
            span.face.ink
            for section in me.transcript.viewport.column.sections
            for line in section.stack.lines
            for span in line.spans
            if "z = 1" in span.text
        }
        assert inks == {"code"}

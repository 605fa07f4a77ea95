"""The cost of a search, as the number of characters laid out and read for each key."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from palaver.wire.messages import ToolCall
from palaver_tui.text import document as documents
from palaver_tui.timing import SEARCH_UNITS
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.matches import Query
from palaver_tui.transcript.search_index import UNFOLD_AT_ONCE, UNFOLDED_PER_UNIT, call_texts
from tui.replay import ReplayClient, answer, part, user
from tui.screen import Client, client
from tui.sheet import result, results
from tui.test_client import running, with_chat

OUTPUT = "\n".join(f"line {number} of the output, which goes on" for number in range(1400))
PROSE = "".join(f"Paragraph {number} has **words** in it.\n\n" for number in range(300))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Record the work that is done, as pairs of its kind and a number of characters."""
    done: list[tuple[str, int]] = []
    draw, unfold, read = vars(documents)["markdown_lines"], CallBlock.unfolded, Query.stretches_in

    def counted_draw(source: str, *arguments: Any) -> Any:
        done.append(("laid out", len(source)))
        return draw(source, *arguments)

    def counted_unfold(self: CallBlock, width: int) -> Any:
        done.append(("unfolded", sum(map(len, call_texts(self)))))
        return unfold(self, width)

    def counted_read(self: Query, texts: list[str], column: int = 0) -> Any:
        done.append(("read", sum(map(len, texts))))
        return read(self, texts, column)

    monkeypatch.setattr(documents, "markdown_lines", counted_draw)
    monkeypatch.setattr(CallBlock, "unfolded", counted_unfold)
    monkeypatch.setattr(Query, "stretches_in", counted_read)
    return done


def total(done: list[tuple[str, int]], what: str) -> int:
    return sum(characters for kind, characters in done if kind == what)


def many_calls(number: int) -> ReplayClient:
    messages = [user(1, "Go on.")]
    for at in range(number):
        call = ToolCall(f"c{at}", "execute", json.dumps({"command": f"make step{at}"}))
        messages.append(answer(10 + 2 * at, call, finish="tool_calls"))
        messages.append(results(11 + 2 * at, result(at, OUTPUT.replace("1399", f"needle{at}"))))
    return with_chat(*messages, answer(1000, "That is all there is."))


async def typed(me: Client, work: list[tuple[str, int]], text: str) -> list[tuple[str, int]]:
    """Search for a text; return the work done before the next key could be read."""
    work.clear()
    me.transcript.search.begin(text)
    return list(work)


async def found(me: Client) -> Sequence[Any]:
    await me.until(lambda: me.transcript.search.done)
    return me.transcript.search.matches


async def test_no_call_is_unfolded_that_does_not_have_the_words(
    tmp_path: Path, work: list[tuple[str, int]]
) -> None:
    async with client(tmp_path, daemon=many_calls(30), chat_id="a") as me:
        await me.shows("all there is")
        for text in ("z", "zylo", "zylophone"):
            await typed(me, work, text)
            assert await found(me) == []
            assert total(work, "unfolded") == 0


async def test_a_letter_that_is_in_every_call_holds_up_nobody(
    tmp_path: Path, work: list[tuple[str, int]]
) -> None:
    async with client(tmp_path, daemon=many_calls(30), chat_id="a") as me:
        await me.shows("all there is")
        done = await typed(me, work, "n")
        assert total(done, "unfolded") <= UNFOLD_AT_ONCE + SEARCH_UNITS * UNFOLDED_PER_UNIT
        assert not me.transcript.search.done
        await me.shows("all there is")
        me.transcript.search.begin("needle7")
        assert len(await found(me)) == 1


async def test_the_next_letter_unfolds_nothing_again(
    tmp_path: Path, work: list[tuple[str, int]]
) -> None:
    async with client(tmp_path, daemon=many_calls(12), chat_id="a") as me:
        await me.shows("all there is")
        await typed(me, work, "needle")
        assert len(await found(me)) == 12
        assert total(work, "unfolded") > 12 * len(OUTPUT)
        for text in ("needle1", "needle", "needle1"):
            await typed(me, work, text)
            assert len(await found(me)) == (12 if text == "needle" else 3)
            assert total(work, "unfolded") == 0


async def test_where_a_shorter_text_was_not_found_a_longer_one_is_not_looked_for(
    tmp_path: Path, work: list[tuple[str, int]]
) -> None:
    daemon = with_chat(*[answer(number, f"{PROSE} {number}") for number in range(1, 4)])
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Paragraph 299")
        await typed(me, work, "in words")  # both words occur, but never next to each other
        assert await found(me) == []
        assert total(work, "laid out") > 2 * len(PROSE)
        await typed(me, work, "in words 3")
        assert await found(me) == []
        assert [what for what, _characters in work] == []


async def test_long_texts_are_laid_out_in_slices_and_all_of_it_is_found(
    tmp_path: Path, work: list[tuple[str, int]]
) -> None:
    daemon = with_chat(*[answer(number, PROSE) for number in range(1, 4)])
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Paragraph 299")
        done = await typed(me, work, "words")
        assert total(done, "laid out") <= 2 * SEARCH_UNITS
        assert len(await found(me)) == 3 * 300


async def test_while_an_answer_grows_only_its_end_is_read(
    tmp_path: Path, work: list[tuple[str, int]]
) -> None:
    daemon = running(user(1, "hello"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        daemon.stream_of("a").tell(part(PROSE, episode="1.1"))
        await me.shows("Paragraph 299")
        me.transcript.search.begin("words")
        assert len(await found(me)) == 300
        at = len(PROSE)
        for number in range(5):
            work.clear()
            text = f"And now {number} more words.\n\n"
            daemon.stream_of("a").tell(part(text, at, episode="1.1"))
            at += len(text)
            await me.shows(f"now {number} more")
            assert len(await found(me)) == 301 + number
            assert 0 < total(work, "read") < 500

"""The view follows the end until the user scrolls; then no line moves, whatever arrives."""

from functools import partial
from pathlib import Path

import pytest

from palaver.wire.events import MessageEvent
from palaver.wire.messages import MessagePage, Reasoning
from palaver_tui.timing import FOLLOW_TOLERANCE
from tui.replay import answer, part, status, user, versions
from tui.screen import client, lay_out_near
from tui.sheet import call, result, results
from tui.test_client import LONG, running
from tui.test_folds import in_view


@pytest.mark.parametrize(("lines", "follows"), [(FOLLOW_TOLERANCE, True), (3, False)])
async def test_two_lines_from_the_end_are_still_the_end(
    tmp_path: Path, lines: int, follows: bool
) -> None:
    async with client(tmp_path, daemon=running(answer(1, LONG)), chat_id="a") as me:
        await me.shows("paragraph 59")
        me.transcript.viewport.move(-lines)
        await me.pilot.pause()
        assert me.transcript.viewport.following is follows


def told(number: int) -> str:
    return f"Paragraph **{number:03}** of many\n\n"


async def test_hundreds_of_deltas_a_commit_older_pages_and_widths_move_nothing(
    tmp_path: Path,
) -> None:
    daemon = running(answer(50, LONG), user(51, "go on"))
    older = [answer(n, LONG) for n in range(49, 39, -1)]
    daemon.pages[50] = MessagePage(older, more=False)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("go on")
        stream = daemon.stream_of("a")
        stream.tell(part("let me think", 0, 0, "3.1", "reasoning"))
        stream.tell(part("Begin\n\n", 0, 1, "3.1"))
        await me.shows("Begin")
        await me.press("ctrl+t", "pageup", "pageup")
        lay_out_near(me.app)
        before = in_view(me)
        height = me.transcript.viewport.column.height
        text = "Begin\n\n"
        for number in range(300):
            delta = told(number)
            stream.tell(part(delta, len(text), 1, "3.1"))
            text += delta
            if number % 30 == 0:
                length = len(text)
                await me.until(
                    partial(lambda length: me.live.blocks[1].text.length == length, length)
                )
                await me.pilot.pause()
                assert in_view(me) == before
        await me.until(lambda: me.transcript.viewport.column.height == height + 600)
        assert in_view(me) == before
        assert me.transcript.viewport.new_lines == 600
        await me.shows("↓ 600 new")
        # The answer is committed: the same lines, and a call.
        whole = answer(52, Reasoning("let me think", 900), text, call(1, "execute", command="ls"))
        stream.tell(MessageEvent(whole, replaces="3.1"), status("running", versions=versions(4, 4)))
        await me.until(lambda: me.view.live is None)
        stream.tell(MessageEvent(results(53, result(1, "a\nb\n", 3))))
        stream.tell(MessageEvent(answer(54, "That is all.")), status("waiting"))
        await me.until(lambda: me.view.status == "waiting")
        await me.pilot.pause()
        assert in_view(me) == before
        # Older messages arrive above.
        me.app.session.message_pages.older()
        await me.until(lambda: me.view.messages[0].id == 40)
        await me.pilot.pause()
        assert in_view(me) == before
        # Narrow and wide again: the first line in view stays there.
        for width in (64, 100):
            await me.pilot.resize_terminal(width, 30)
            await me.pilot.pause()
            assert in_view(me)[0] == before[0]
        assert in_view(me) == before
        await me.press("G")
        await me.shows("That is all.")
        assert me.transcript.viewport.following
        assert me.transcript.viewport.new_lines == 0


async def test_in_the_middle_of_a_wrapped_paragraph_a_width_change_keeps_the_first_words(
    tmp_path: Path,
) -> None:
    words = " ".join(f"word{number:03}" for number in range(400))
    daemon = running(answer(1, words), answer(2, LONG, model="other"))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 30)) as me:
        await me.shows("paragraph 59")
        await me.press("ctrl+t", "home")
        me.transcript.viewport.move(20)
        await me.pilot.pause()
        first = in_view(me)[0].split()[0]
        for width in (64, 90, 70):
            await me.pilot.resize_terminal(width, 30)
            await me.pilot.pause()
            assert first in in_view(me)[0]


async def test_another_attempt_in_place_of_what_was_shown_moves_nothing_above(
    tmp_path: Path,
) -> None:
    daemon = running(answer(1, LONG), user(2, "go on"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        stream.tell(part(LONG, episode="3.1"))
        await me.until(lambda: me.transcript.viewport.column.height > 120)
        await me.press("ctrl+t", "home")
        before = in_view(me)
        stream.tell(part("anew", episode="3.2"))
        await me.until(lambda: me.live.episode == "3.2")
        await me.pilot.pause()
        assert in_view(me) == before
        await me.press("ctrl+end")
        await me.shows("anew")

"""Pages of messages are fetched as they come near; a failed one is not asked for without end."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from palaver.client import Connected, ConnectionLost
from palaver.wire.events import CaughtUp
from palaver.wire.messages import MessagePage
from tui.replay import answer, part, user
from tui.screen import Client, client
from tui.test_client import LONG, running


async def near_the_start(me: Client) -> None:
    """Scroll to the first message; there are older ones."""
    await me.press("ctrl+t", "home")


async def near_a_gap(me: Client) -> None:
    """Scroll up a little to messages between which others are missing."""
    session = me.app.session
    await me.press("ctrl+t", "pageup")
    session.views["a"] = replace(me.view, older=False, gap=50)
    session.changed()


async def connect_again(me: Client) -> None:
    stream = me.daemon.stream_of("a")
    stream.tell(ConnectionLost("cut", me.clock.now(), 0.5))
    stream.tell(Connected(), CaughtUp(1))


async def scroll_on(me: Client) -> None:
    await me.press("up")


def is_written(me: Client, length: int) -> bool:
    """Return whether the live answer has `length` characters."""
    return me.view.live is not None and me.live.blocks[0].text.length == length


@pytest.mark.parametrize("again", [connect_again, scroll_on])
@pytest.mark.parametrize("scroll", [near_the_start, near_a_gap])
async def test_a_page_that_does_not_come_is_asked_for_again_by_who_scrolls_or_is_connected(
    tmp_path: Path,
    scroll: Callable[[Client], Awaitable[None]],
    again: Callable[[Client], Awaitable[None]],
) -> None:
    daemon = running(answer(50, LONG), user(90, "go on"))
    for place in (50, None):  # before the first message, and in the gap
        daemon.pages[place] = MessagePage([user(49 if place else 51, "late")], more=False)
    daemon.pages_down = True
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("go on")
        await scroll(me)
        await me.shows("connection refused")
        for _ in range(2):  # the first one was perhaps asked for at the start
            me.app.paint()
            await me.pilot.pause()
        asked = len(daemon.pages_asked)
        text = ""
        for word in ["an ", "answer ", "is ", "written "]:
            daemon.stream_of("a").tell(part(word, len(text), 0, "91.1"))
            text += word
            await me.until(partial(is_written, me, len(text)))
            me.app.paint()
            await me.pilot.pause()
        assert len(daemon.pages_asked) == asked
        daemon.pages_down = False
        await again(me)
        await me.until(lambda: len(me.view.messages) == 3)

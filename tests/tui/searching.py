"""Typing a filter into the list of chats, and reading what it finds in messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from io import BytesIO
from pathlib import Path
from random import Random

import msgspec
from textual import events

from palaver.client import Client as ApiClient
from palaver.client import Endpoint
from palaver.wire.chats import Chat
from palaver.wire.exports import ExportedChat, ExportedMessage
from palaver.wire.messages import Text
from palaver_tui.state.chat_list import Row
from palaver_tui.state.found_messages import FoundMessages
from palaver_tui.timing import LIST_SEARCH_AFTER_S
from palaver_tui.transcript.look import Look
from support.clock import START, ManualClock
from support.daemon import running_pair
from tui.screen import Client, ClockedApp

IN_MESSAGES = "In messages"


def found(me: Client) -> FoundMessages | None:
    return me.app.session.list_search.found


def hits(me: Client) -> list[Row]:
    """Return the rows of the chats that are listed for their messages."""
    return [row for row in me.app.main.chat_list.rows if row.hit is not None]


async def type_filter(me: Client, words: str) -> None:
    """Begin a filter, and type words into it."""
    await me.press("ctrl+l", "slash")
    await type_on(me, words)


async def type_on(me: Client, words: str) -> None:
    """Type words into the filter."""
    before = me.app.main.chat_list.filter_text or ""
    for letter in words:
        me.app.post_message(events.Key("space" if letter == " " else letter, letter))
    await me.until(lambda: me.app.context.list_filter.text == before + words)


async def answered(me: Client) -> None:
    """Let the pause of typing pass, and wait for an answer or a reason why there is none."""

    def is_there() -> bool:
        pass_pause(me)
        now = found(me)
        return now is not None and (now.answered or bool(now.problem))

    await me.until(is_there)


def pass_pause(me: Client) -> None:
    """Advance the clock by the pause; not beyond it, since connections have timeouts on it."""
    if not isinstance(me.clock, ManualClock) or min(me.clock.waits(), default=9) <= 1:
        me.clock.advance(LIST_SEARCH_AFTER_S)


def marked_words(me: Client) -> list[str]:
    """Return what is marked in view as found."""
    transcript = me.transcript
    viewport = transcript.viewport
    words = []
    for y in range(viewport.top, viewport.top + viewport.height):
        text = viewport.column.line(y)[2].text
        words += [text[mark.start : mark.end] for mark in transcript._marks(y)]
    return words


async def write_chat(client: ApiClient, title: str, texts: list[str]) -> Chat:
    """Create a chat whose messages are `texts`, by the user and a model in turn."""
    head = {"format": "palaver-chat", "version": 1, "exported_at": START}
    messages = [
        ExportedMessage("assistant" if number % 2 else "user", [Text(text)], START)
        for number, text in enumerate(texts)
    ]
    document = head | {"chat": ExportedChat(title, START), "messages": messages}
    return (await client.import_chat(BytesIO(msgspec.json.encode(document)))).chat


@asynccontextmanager
async def with_daemon(
    data_dir: Path, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[Client, ApiClient]]:
    """Run a client whose clock stands still, a real daemon, and another client of that."""
    async with running_pair() as (daemon, client, _simulator):

        async def connect() -> Endpoint:
            return Endpoint(socket=daemon.socket)

        clock = ManualClock()
        app = ClockedApp(
            connect,
            data_dir=data_dir,
            clock=clock,
            random=Random(3),
            motion=False,
            look=Look(UTC),
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            me = Client(app, daemon, pilot, clock)
            await me.until(lambda: app.session.models and app.session.chats.loaded)
            yield me, client

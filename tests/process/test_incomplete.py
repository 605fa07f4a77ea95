"""Live output of a daemon that was killed: who shows it is told, and ends with what is stored."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing

import pytest

from palaver.client import Client, Endpoint
from palaver.client.connection_events import Connected, ConnectionLost
from palaver.stream.progress import Progress
from palaver.wire.chats import CreateChat
from palaver.wire.events import Incomplete
from palaver.wire.messages import Text
from palaver_tui.state.chat import ChatView
from palaver_tui.state.reduce import reduce
from support.clock import START, until
from support.process import place, started
from support.view import Item, View, read_until

pytestmark = pytest.mark.process

WORDS = 20  # that are shown before the daemon is killed
RESTARTED_S = 60.0  # a daemon that starts on a busy machine, and a client that waits to reconnect
NOT_AT_WORK = "[worker]\nenabled = false\n"


class Follower:
    """A client that follows a chat: as a strict reader, and as the terminal client reduces it."""

    def __init__(self) -> None:
        self.view = View()
        self.screen = ChatView()
        self.told: list[Item] = []

    async def follow(self, client: Client, chat_id: str) -> None:
        async with aclosing(client.stream(chat_id, progress=self.view.progress)) as batches:
            async for batch in batches:
                for item in batch:
                    self.take(item)

    def take(self, item: Item) -> None:
        if isinstance(item, Connected | ConnectionLost):
            self.view.take_all([item])
        else:
            self.view.take(item)
        self.screen = reduce(self.screen, item, START)
        self.told.append(item)

    @property
    def incomplete(self) -> list[str]:
        return [item.episode for item in self.told if isinstance(item, Incomplete)]

    @property
    def live(self) -> tuple[str, str]:
        """The live text, as the two show it."""
        shown = self.screen.live.blocks if self.screen.live is not None else ()
        return (
            "".join(block.text for block in self.view.live.values()),
            "".join(str(block.text) for block in shown),
        )


async def test_who_has_a_part_of_an_answer_that_was_lost_is_told_and_ends_with_what_is_stored() -> (
    None
):
    one = Follower()
    async with place(rate=60) as data_dir:
        config = data_dir / "config.toml"
        at_work = config.read_text()
        async with Client(Endpoint(socket=data_dir / "palaverd.sock")) as client:
            async with started(data_dir) as daemon:
                sent = await daemon.client.create_chat(CreateChat("[[length=100]] tell me"))
                chat_id = sent.chat.id
                following = asyncio.create_task(one.follow(client, chat_id))
                await until(lambda: one.live[0].count(" ") >= WORDS or following.done())
                await daemon.end(signal.SIGKILL)
                assert one.live[0] == one.live[1] != ""
                had, lost = one.view.progress, one.live[0]
            assert had.at is not None
            # A daemon that has the chat, and does not go on with it: what the client has is gone.
            config.write_text(at_work + NOT_AT_WORK)
            async with started(data_dir) as daemon:
                async with asyncio.timeout(RESTARTED_S):
                    while not (one.incomplete and one.view.caught_up):
                        await asyncio.sleep(0.02)
                assert one.incomplete == [had.at.episode]
                assert one.live == ("", "")
                # So is one that connects with that position for the first time.
                another = View(progress=Progress(had.since, had.at))
                events = await read_until(
                    daemon.client, chat_id, another, lambda: another.caught_up
                )
                assert Incomplete(had.at.episode) in events
                await daemon.end(signal.SIGKILL)
            config.write_text(at_work)
            async with started(data_dir) as daemon:
                async with asyncio.timeout(RESTARTED_S):
                    while one.view.status != "waiting":
                        await asyncio.sleep(0.02)
                [_, stored] = (await daemon.client.messages(chat_id, after_id=0)).messages
                text = "".join(part.text for part in stored.parts if isinstance(part, Text))
                assert len(text) > len(lost)
                assert one.view.messages[stored.id] == stored
                assert one.screen.messages[-1] == stored
                assert one.live == ("", "")
                assert [item.reason for item in one.told if isinstance(item, ConnectionLost)]
            following.cancel()

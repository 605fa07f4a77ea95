"""The client with a real daemon: after any disconnection nothing is missing and nothing twice."""

from __future__ import annotations

from contextlib import aclosing

from palaver.client import Client, Progress
from palaver.stream.progress import step
from palaver.wire.chats import CreateChat
from palaver.wire.events import (
    CaughtUp,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import Text
from support.daemon import running_pair

READ = (MessageEvent, MessagePartEvent, StatusEvent, PreviewReset, CaughtUp)


class View:
    """The state of a reader: committed answers by id, and live output without gap or repetition."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.answers: dict[int, str] = {}
        self.live = ""
        self.done = False
        self._status = ""

    async def read(self, client: Client, chat_id: str, limit: int) -> None:
        """Read about `limit` events over a new connection."""
        seen, begin = 0, self.progress
        async with aclosing(client.stream(chat_id, progress=self.progress)) as stream:
            async for batch in stream:
                for item in batch:
                    if not isinstance(item, READ):
                        continue
                    self._take(item)
                    seen += 1
                    # Without progress the next connection would begin where this one did.
                    if self.done or (seen >= limit and self.progress != begin):
                        return

    def _take(self, event: StreamEvent) -> None:
        # The stream has removed what was read already; this only counts.
        self.progress, again = step(self.progress, event)
        assert again == event
        match event:
            case MessageEvent(message=message) if message.role == "assistant":
                text = "".join(part.text for part in message.parts if isinstance(part, Text))
                assert text.startswith(self.live)
                self.answers[message.id], self.live = text, ""
            case MessagePartEvent():
                assert event.offset == len(self.live)
                self.live += event.delta
            case PreviewReset():
                self.live = ""
            case StatusEvent():
                self._status = event.status
            case CaughtUp():
                self.done = self._status == "waiting"
            case _:
                pass


async def test_a_reader_cut_off_every_few_events_reads_the_same_as_one_that_never_was() -> None:
    async with running_pair(rate=400) as (_, client, _):
        sent = await client.create_chat(CreateChat("[[length=150]] hello"))
        views = {limit: View() for limit in (1, 2, 3, 7, 50, 10_000)}
        while not all(view.done for view in views.values()):
            for limit, view in views.items():
                if not view.done:
                    await view.read(client, sent.chat.id, limit)
        (answer,) = views[10_000].answers.values()
        assert len(answer) > 300
        assert {tuple(view.answers.items()) for view in views.values()} == {
            tuple(views[10_000].answers.items())
        }


async def test_a_key_makes_a_repeated_request_harmless() -> None:
    async with running_pair() as (_, client, _):
        first = await client.create_chat(CreateChat("hello"), key="k")
        again = await client.create_chat(CreateChat("hello"), key="k")
        assert (again.repeated, again.chat.id) == (True, first.chat.id)
        assert len((await client.chats()).chats) == 1

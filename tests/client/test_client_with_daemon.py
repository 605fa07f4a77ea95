"""The client with a real daemon: after any disconnection nothing is missing and nothing twice."""

from __future__ import annotations

from palaver.client import Client
from palaver.wire.chats import CreateChat
from palaver.wire.messages import Text
from support.daemon import running_pair
from support.view import View, read_until


def is_done(view: View) -> bool:
    return view.caught_up and view.status == "waiting"


async def read(client: Client, chat_id: str, view: View, limit: int) -> None:
    """Read about `limit` events over a new connection."""
    seen, begin = 0, view.progress

    def enough() -> bool:
        nonlocal seen
        seen += 1
        # Without progress the next connection would begin where this one did.
        return is_done(view) or (seen >= limit and view.progress != begin)

    await read_until(client, chat_id, view, enough)


async def test_a_reader_cut_off_every_few_events_reads_the_same_as_one_that_never_was() -> None:
    async with running_pair(rate=400) as (_, client, _):
        sent = await client.create_chat(CreateChat("[[length=150]] hello"))
        views = {limit: View() for limit in (1, 2, 3, 7, 50, 10_000)}
        while not all(map(is_done, views.values())):
            for limit, view in views.items():
                if not is_done(view):
                    await read(client, sent.chat.id, view, limit)
        unbroken = views[10_000].messages
        [answer] = [message for message in unbroken.values() if message.role == "assistant"]
        text = "".join(part.text for part in answer.parts if isinstance(part, Text))
        assert len(text) > 300
        for view in views.values():
            assert view.messages == unbroken
            assert all(text.startswith(told[0].text) for told in view.told.values())


async def test_a_key_makes_a_repeated_request_harmless() -> None:
    async with running_pair() as (_, client, _):
        first = await client.create_chat(CreateChat("hello"), key="k")
        again = await client.create_chat(CreateChat("hello"), key="k")
        assert (again.repeated, again.chat.id) == (True, first.chat.id)
        assert len((await client.chats()).chats) == 1

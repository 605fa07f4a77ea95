"""Parallel tool calls whose arguments arrive in turn are shown as they grow, also after a cut."""

from __future__ import annotations

from itertools import pairwise

from palaver.wire.chats import CreateChat, Interrupt
from palaver.wire.events import MessagePartEvent, StreamEvent
from palaver.wire.messages import Text, ToolCall
from palaverd.daemon import Daemon
from support.chats import reaches
from support.daemon import running_pair
from support.view import View, read_until

ARGUMENTS = '{"path":"/some/where/else","lines":"from-1-to-200"}'
CALLS = 3
PROMPT = f"[[tool=read args={ARGUMENTS} calls={CALLS}]] [[echo]] let us see"


def texts(daemon: Daemon, chat_id: str) -> dict[int, str]:
    """Return the live output that the daemon has."""
    log = daemon.episodes.current(chat_id)
    return {} if log is None else {number: block.text for number, block in enumerate(log.blocks)}


def shown(view: View) -> dict[int, str]:
    return {number: block.text for number, block in view.live.items()}


def turns(events: list[StreamEvent]) -> int:
    """Return how often output came for an earlier block than the output before."""
    blocks = [event.block for event in events if isinstance(event, MessagePartEvent)]
    return sum(later < earlier for earlier, later in pairwise(blocks))


def replayed(events: list[StreamEvent]) -> View:
    view = View()
    view.take_all(events)
    view.caught_up = False
    return view


async def test_calls_whose_arguments_come_in_turn_are_shown_while_they_grow() -> None:
    """Every client that is cut off at any event and comes back shows the same."""
    async with running_pair(rate=300, kind="openai-compatible") as (daemon, client, simulator):
        prompt = f"[[silence at=end]] {PROMPT}"
        chat = (await client.create_chat(CreateChat(prompt))).chat
        unbroken = View()

        def everything_was_said() -> bool:
            said = texts(daemon, chat.id)
            return simulator.stalled == 1 and len(said) == 1 + CALLS and shown(unbroken) == said

        story = await read_until(client, chat.id, unbroken, everything_was_said)
        assert list(shown(unbroken).values()) == ["let us see", *[ARGUMENTS] * CALLS]
        assert turns(story) > 5
        for cut in range(len(story)):
            view = replayed(story[:cut])
            await read_until(client, chat.id, view, lambda: view.caught_up)  # noqa: B023
            assert view.live == unbroken.live
        turn = (await client.chat(chat.id)).versions.turn
        await client.interrupt(chat.id, Interrupt(turn_version=turn))
        await reaches(client, chat.id, "waiting")


async def test_what_was_shown_of_them_is_what_is_committed() -> None:
    async with running_pair(rate=300, kind="openai-compatible") as (_, client, _):
        chat = (await client.create_chat(CreateChat(PROMPT))).chat
        view = View()
        await read_until(client, chat.id, view, lambda: view.caught_up and view.status == "waiting")
        [answer] = [
            message
            for message in view.messages.values()
            if any(isinstance(part, ToolCall) for part in message.parts)
        ]
        whole = [
            part.text if isinstance(part, Text) else part.arguments
            for part in answer.parts
            if isinstance(part, Text | ToolCall)
        ]
        assert whole == ["let us see", *[ARGUMENTS] * CALLS]
        live = next(iter(view.told.values()))
        # The very last piece may come with the message.
        assert [whole[n].startswith(live[n].text) for n in range(1 + CALLS)] == [True] * (1 + CALLS)
        assert sum(len(live[n].text) for n in range(CALLS)) == sum(map(len, whole[:CALLS]))
        assert [live[n].call_id for n in range(1, 1 + CALLS)] == [
            part.id for part in answer.parts if isinstance(part, ToolCall)
        ]

"""Check that a daemon set up as in the guide answers a chat."""

from __future__ import annotations

from palaver.client import Client
from palaver.wire.chats import CreateChat
from palaver.wire.events import MessageEvent, MessagePartEvent, StreamEvent
from support.chats import events_until, history


async def answers(client: Client) -> None:
    """Check that a message is accepted, and that its answer streams, word by word."""
    text = "one two three four five six"
    sent = await client.create_chat(CreateChat(f"[[rate=40]] [[echo]] {text}"))
    events = await events_until(client, sent.chat.id, answered)
    assert sum(isinstance(event, MessagePartEvent) for event in events) > 1
    said = await history(client, sent.chat.id)
    assert [role for role, _ in said] == ["user", "assistant"]
    assert said[1][1] == text


def answered(events: list[StreamEvent]) -> bool:
    """Return whether the answer is complete."""
    return any(isinstance(e, MessageEvent) and e.message.role == "assistant" for e in events)

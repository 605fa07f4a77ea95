"""One chat with a daemon that was set up as the guide says."""

from __future__ import annotations

from palaver.client import Client
from palaver.wire.chats import CreateChat
from palaver.wire.events import MessageEvent, MessagePartEvent, StreamEvent
from support.chats import events_until, history


async def answers(client: Client) -> None:
    """See that a message is taken, and that its answer streams in, word by word."""
    text = "one two three four five six"
    sent = await client.create_chat(CreateChat(f"[[rate=40]] [[echo]] {text}"))
    events = await events_until(client, sent.chat.id, answered)
    assert sum(isinstance(event, MessagePartEvent) for event in events) > 1
    said = await history(client, sent.chat.id)
    assert [role for role, _ in said] == ["user", "assistant"]
    assert said[1][1] == text


def answered(events: list[StreamEvent]) -> bool:
    """Say whether the answer is there, whole."""
    return any(isinstance(e, MessageEvent) and e.message.role == "assistant" for e in events)

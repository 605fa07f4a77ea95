"""One answer, end to end: client, daemon, SDK and simulator over real sockets."""

from __future__ import annotations

from palaver.client import Client, Connected, ConnectionLost
from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaver.wire.events import (
    CaughtUp,
    ErrorEvent,
    MessageEvent,
    MessagePartEvent,
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import Text
from support.daemon import running_pair


async def follow(client: Client, chat_id: str) -> list[StreamEvent]:
    """Collect events until the chat is idle and caught up."""
    events: list[StreamEvent] = []
    status = None
    stream = client.stream(chat_id)
    try:
        async for batch in stream:
            for item in batch:
                if isinstance(item, Connected | ConnectionLost):
                    continue
                events.append(item)
                if isinstance(item, StatusEvent):
                    status = item.status
                if isinstance(item, CaughtUp) and status in ("waiting", "error", "paused"):
                    return events
    finally:
        await stream.aclose()
    raise AssertionError("the stream ended")


def shown(events: list[StreamEvent]) -> str:
    return "".join(e.delta for e in events if isinstance(e, MessagePartEvent))


async def test_an_answer_is_streamed_and_then_committed_as_it_was_shown() -> None:
    async with running_pair() as (_, client, _sim):
        sent = await client.create_chat(CreateChat(content="[[echo]] one two three"))
        events = await follow(client, sent.chat.id)
        messages = [e for e in events if isinstance(e, MessageEvent)]
        assert [m.message.role for m in messages] == ["user", "assistant"]
        assert messages[1].message.parts == [Text("one two three")]
        page = await client.messages(sent.chat.id)
        assert [m.role for m in page.messages] == ["assistant", "user"]


async def test_a_refused_key_ends_in_a_structured_error_and_keeps_the_message() -> None:
    async with running_pair() as (_, client, _sim):
        sent = await client.create_chat(CreateChat(content="[[401]] hello"))
        events = await follow(client, sent.chat.id)
        [error] = [e.error for e in events if isinstance(e, ErrorEvent) and e.error]
        assert (error.kind, error.status_code, error.retryable) == ("auth", 401, False)
        assert (await client.chat(sent.chat.id)).last_error == error


async def test_a_message_to_a_failed_chat_runs_it_again() -> None:
    async with running_pair() as (_, client, _sim):
        sent = await client.create_chat(CreateChat(content="[[401]] hello"))
        await follow(client, sent.chat.id)
        await client.send(sent.chat.id, SendMessage(content="[[echo]] fine"))
        await follow(client, sent.chat.id)
        chat = await client.chat(sent.chat.id)
        assert (chat.status, chat.last_error) == ("waiting", None)


async def test_a_stop_saves_exactly_what_was_shown() -> None:
    async with running_pair(rate=200) as (_, client, _sim):
        sent = await client.create_chat(CreateChat(content="[[length=2000]] tell me a lot"))
        events: list[StreamEvent] = []
        stopped = False
        stream = client.stream(sent.chat.id)
        async for batch in stream:
            events += [e for e in batch if not isinstance(e, Connected | ConnectionLost)]
            if len(shown(events)) > 200 and not stopped:
                stopped = True
                turn = (await client.chat(sent.chat.id)).versions.turn
                await client.interrupt(sent.chat.id, Interrupt(turn_version=turn))
            saved = [
                e.message
                for e in events
                if isinstance(e, MessageEvent) and e.message.finish == "interrupted"
            ]
            if saved:
                break
        await stream.aclose()
        assert "".join(p.text for p in saved[0].parts if isinstance(p, Text)) == shown(events)
        assert (await client.chat(sent.chat.id)).status == "waiting"

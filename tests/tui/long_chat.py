"""A replayed daemon with a long chat, served in pages like the real API."""

from __future__ import annotations

from palaver.client import Connected
from palaver.wire.chats import ChatStatus
from palaver.wire.events import CaughtUp, MessageEvent
from palaver.wire.messages import Message, MessagePage
from tui.replay import ReplayClient, answer, chat, status, user

NEWEST = 50  # messages at the beginning of a stream


class LongChat(ReplayClient):
    """Serves pages of `history`, which is oldest first, and records their lengths."""

    def __init__(self, history: list[Message], word: ChatStatus = "waiting") -> None:
        super().__init__()
        self.history = history
        self.served: list[int] = []
        self.open(chat("a", "A long chat", word), chat("b", "Second chat", minutes_ago=5))
        stream = self.stream_of("a")
        stream.tell(Connected())
        newest = [MessageEvent(message) for message in history[-NEWEST:]]
        stream.tell(*newest, status(word, "A long chat"), CaughtUp(1))

    async def messages(
        self,
        chat_id: str,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 50,
    ) -> MessagePage:
        await self._post()
        assert limit <= 200
        found = [
            message
            for message in self.history
            if (before_id is None or message.id < before_id)
            and (after_id is None or message.id > after_id)
        ]
        newest_first = not (after_id is not None and before_id is None)
        page = list(reversed(found[-limit:])) if newest_first else found[:limit]
        self.served.append(len(page))
        return MessagePage(page, more=len(found) > len(page))


def history(count: int, **texts: str) -> list[Message]:
    """Return `count` messages; `m7="x"` sets the text of the one with id 7 to `x`."""
    made = []
    for number in range(1, count + 1):
        text = texts.get(f"m{number}", f"message {number} says\n\nsomething or other")
        made.append((user if number % 2 else answer)(number, text))
    return made

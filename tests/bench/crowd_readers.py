"""Many clients of little cost: `python -m bench.crowd_readers SOCKET HOW CHATS WINDOW REQUEST`.

HOW is `chats`, or `bare` for `bench.bare_relay`. Creates the chats at once and follows each on a
WebSocket, looking only for the provider's words. Prints `live` when every answer has begun, and at
the end, as one JSON line, the ages in milliseconds of the words that were sent in the first WINDOW
seconds after that, how many arrived in each of these seconds, the numbers of all tokens and frames,
the length of an answer, and its CPU seconds per 1,000 tokens. Fails if a connection ends, if a
committed answer lacks a word, or if what was shown is not its beginning.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

import click

from bench.begun import Begun
from bench.fan_out_readers import OPENING
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaverd.platform.descriptors import allow

CREATING = 50  # clients that create chats, each one after the other
SHOWN = re.compile(rb'"delta":"([\d ]+)"')
COMMITTED = re.compile(rb'"role":"assistant".*?"text":"([\d ]+)"', re.DOTALL)
PING, PONG = b"\x89\x00", b"\x8a\x80\x00\x00\x00\x00"  # RFC 6455, 5.5; a client's is masked
TAIL = 64 * 1024  # bytes that are kept of what may not be whole; a committed answer has fewer


class LostError(Exception):
    """Something that was sent did not arrive."""


class Reader(asyncio.Protocol):
    """The stream of one chat."""

    def __init__(self, path: str, words: int, begun: Begun) -> None:
        self.seen: list[tuple[int, int]] = []  # when each word was sent, and when it arrived
        self.frames = 0
        self.text = 0
        self.done = asyncio.get_running_loop().create_future()
        self._opening = OPENING.format(path=path).encode()
        self._words = words
        self._begun = begun
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the upgrade request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._opening)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail: the daemon ends no stream of a chat that exists."""
        if not self.done.done():
            self.done.set_exception(LostError(f"the connection ended: {exc}"))

    def data_received(self, data: bytes) -> None:
        """Note the words, and the committed answer."""
        now = time.monotonic_ns()
        if PING in data and self._transport is not None:
            self._transport.write(PONG)
        data = self._rest + data
        end = 0
        first = not self.seen
        for match in SHOWN.finditer(data):
            # An array begins before the first event of a frame.
            self.frames += data.rfind(b'[{"type"', end, match.start()) >= 0
            self.seen += [(int(word), now) for word in match[1].split()]
            end = match.end()
        if first and self.seen:
            self._begun.note()
        committed = COMMITTED.search(data, end)
        if committed is not None and not self.done.done():
            self.text = len(committed[1])
            words = [int(word) for word in committed[1].split()]
            shown = [word for word, _ in self.seen]
            # The answer may overtake what is left of its live output, which it replaces.
            if len(words) == self._words and shown == words[: len(shown)]:
                self.done.set_result(None)
            else:
                self.done.set_exception(LostError(f"{len(words)} committed, {len(shown)} shown"))
            if not shown:
                self._begun.note()
        self._rest = data[end:][-TAIL:]


async def main(socket: str, how: str, chats: int, window: float, content: str) -> None:
    """Follow `chats` chats concurrently, and print what was measured."""
    allow(chats + 256)
    begun, words = Begun(chats), int(content.split()[0])
    loop = asyncio.get_running_loop()
    numbers = iter(range(chats))
    readers: list[Reader] = []

    async def create(client: Client) -> None:
        for _ in numbers:
            path = f"/{quote(content)}"
            if how == "chats":
                sent = await client.create_chat(CreateChat(content=content, title="bench"))
                path = f"/api/v1/chats/{sent.chat.id}/stream"
            follow = partial(Reader, path, words, begun)
            _, made = await loop.create_unix_connection(follow, socket)
            readers.append(made)

    async with Client(Endpoint(socket=Path(socket))) as client:
        await asyncio.gather(*(create(client) for _ in range(min(CREATING, chats))))
        await asyncio.gather(*(each.done for each in readers))
    live = max(each.seen[0][1] for each in readers if each.seen)
    until = live + window * 1e9
    seen = [one for each in readers for one in each.seen]
    found = {
        "ages": [(came - sent) / 1e6 for sent, came in seen if live <= sent <= until],
        "per_second": sum(live <= came <= until for _, came in seen) / window if window else 0,
        "tokens": len(seen),
        "frames": sum(each.frames for each in readers),
        "text": readers[0].text,
        "cpu": time.process_time() / len(seen) * 1000,
    }
    click.echo(json.dumps(found))


if __name__ == "__main__":
    _, where, how, chats, window, request = sys.argv
    asyncio.run(main(where, how, int(chats), float(window), request))

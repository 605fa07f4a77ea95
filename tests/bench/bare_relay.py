"""A bare loop that does what live output needs: `python -m bench.bare_relay URL SOCKET`.

For each WebSocket on SOCKET it asks the provider at URL, whose request is the path, and sends each
delta on: aiohttp on both sides, one task for each stream, and nothing stored, shared or resumed.
Its frames are the daemon's, decoded and encoded in the same way, and so is the end: the answer as
a whole. Prints `ready` when it listens.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import click
import msgspec
from aiohttp import WSMsgType, web

from bench.direct_reader import request as asked
from palaver.wire.events import MessagePartEvent
from palaverd.platform.descriptors import allow

END = b"\n\n"  # of an event
DATA = b"data: "
MOST = 8192  # open files


class Text(msgspec.Struct):
    """The text of a delta."""

    text: str = ""


class Event(msgspec.Struct):
    """An event of the provider, as far as it is read."""

    type: str
    delta: Text | None = None


_decode = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode


async def relay(
    request: web.Request, session: aiohttp.ClientSession, url: str
) -> web.StreamResponse:
    """Send an answer on as it arrives, and then as a whole."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    answer: list[str] = []
    length, rest = 0, b""
    body = msgspec.json.encode(asked(request.match_info["content"]))
    async with session.post(f"{url}/v1/messages", data=body) as response:
        async for chunk in response.content.iter_any():
            *whole, rest = (rest + chunk).split(END)
            events = []
            for one in whole:
                event = _decode(one[one.index(DATA) + len(DATA) :])
                if event.type == "content_block_delta" and event.delta is not None:
                    said = event.delta.text
                    part = MessagePartEvent(
                        episode="1.1", block=0, offset=length, kind="text", delta=said
                    )
                    events.append(_encode(part))
                    answer.append(said)
                    length += len(said)
            if events:
                await socket.send_frame(b"[" + b",".join(events) + b"]", WSMsgType.TEXT)
    last = [{"type": "message", "role": "assistant", "text": "".join(answer)}]
    await socket.send_frame(msgspec.json.encode(last), WSMsgType.TEXT)
    await socket.close()
    return socket


async def main(url: str, path: str) -> None:
    """Serve until terminated."""
    allow(MOST)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
    ) as session:
        app = web.Application()
        app.router.add_get("/{content}", lambda request: relay(request, session, url))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.UnixSite(runner, path, backlog=MOST).start()
        click.echo("ready")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))

"""A model server that sends the current time as each word: `python -m bench.provider`.

Its protocol is Anthropic Messages. The first line on standard output is its URL. The last message
of a request is `<words> <words per second> <seconds to wait before the end>`; a rate of 0 is as
fast as possible. A word is `time.monotonic_ns()`, which is one clock for all processes of a
machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import click
import msgspec
from aiohttp import web

HEAD = {"content-type": "text/event-stream; charset=utf-8", "request-id": "req_bench"}


def event(name: str, **fields: Any) -> bytes:
    """Encode one event."""
    return b"event: %s\ndata: %s\n\n" % (
        name.encode(),
        msgspec.json.encode({"type": name} | fields),
    )


OPENING = event(
    "message_start",
    message={
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": "bench",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
) + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
ENDING = (
    event("content_block_stop", index=0)
    + event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": 1},
    )
    + event("message_stop")
)


def word() -> bytes:
    """Return an encoded event with the current time."""
    text = f"{time.monotonic_ns()} "
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def wanted(body: Any) -> tuple[int, float, float]:
    """Return the number of words, the rate and the last wait that a request asks for."""
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    words, rate, wait = text.split()
    return int(words), float(rate), float(wait)


async def answer(request: web.Request) -> web.StreamResponse:
    """Stream one answer."""
    words, rate, wait = wanted(msgspec.json.decode(await request.read()))
    response = web.StreamResponse(headers=HEAD)
    await response.prepare(request)
    await response.write(OPENING)
    due = time.monotonic()
    for _ in range(words):
        if rate:
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await response.write(word())
    await asyncio.sleep(wait)
    await response.write(ENDING)
    return response


async def serve(announce: Callable[[str], None]) -> None:
    """Serve on a free loopback port until cancelled; call `announce` with the URL."""
    app = web.Application()
    app.router.add_post("/v1/messages", answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    announce(f"http://{host}:{port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(lambda url: click.echo(url)))

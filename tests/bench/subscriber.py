"""Subscribe to chats: `python -m bench.subscriber SOCKET STREAMS REQUEST`.

Creates the chats and follows each with Palaver's own client. Prints `live` when every answer has
begun, and at the end, as one JSON line, the age of each word when it arrived, in nanoseconds, and
on another line its own CPU time in seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import aclosing
from pathlib import Path

import click

from bench.begun import Begun
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaver.wire.events import MessageEvent, MessagePartEvent


async def follow(client: Client, content: str, begun: Begun) -> list[int]:
    """Create a chat and read its answer to the end; return the ages of its words."""
    sent = await client.create_chat(CreateChat(content=content))
    ages: list[int] = []
    async with aclosing(client.stream(sent.chat.id)) as stream:
        async for batch in stream:
            now = time.monotonic_ns()
            for item in batch:
                if isinstance(item, MessagePartEvent):
                    if not ages:
                        begun.note()
                    ages += [now - int(text) for text in item.delta.split()]
                elif isinstance(item, MessageEvent) and item.message.role == "assistant":
                    return ages
    return ages


async def main(socket: str, streams: int, content: str) -> None:
    """Follow `streams` chats concurrently, and print the ages."""
    async with Client(Endpoint(socket=Path(socket))) as client:
        await follow(client, "1 0 0", Begun(2))  # the first answer imports and connects
        begun, before = Begun(streams), time.process_time()
        ages = await asyncio.gather(*(follow(client, content, begun) for _ in range(streams)))
        click.echo(json.dumps([age for each in ages for age in each]))
        click.echo(str(time.process_time() - before))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))

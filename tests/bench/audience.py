"""Many readers of one chat: `python -m bench.audience SOCKET READERS REQUEST`.

Creates a chat with the request, made long, has each reader follow it on a WebSocket, and prints the
path of its stream. At the end it prints the ages of the words in milliseconds, as one JSON line.
Fails if a connection ends, or if a reader lacks a word.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

import click

from bench.begun import Begun
from bench.crowd_readers import Reader
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaverd.platform.descriptors import allow

# Bytes of the request, which all receive first: more than the kernel takes for a slow reader.
LONG = 512 * 1024


async def main(socket: str, count: int, content: str) -> None:
    """Follow the chat, and print what was measured."""
    allow(count + 256)
    loop = asyncio.get_running_loop()
    async with Client(Endpoint(socket=Path(socket))) as client:
        long = content + " " * LONG
        sent = await client.create_chat(CreateChat(content=long, title="bench"))
        path = f"/api/v1/chats/{sent.chat.id}/stream"
        silent, words = Begun(0), int(content.split()[0])
        readers: list[Reader] = []
        for _ in range(count):
            follow = partial(Reader, path, words, silent)
            _, made = await loop.create_unix_connection(follow, socket)
            readers.append(made)
        click.echo(path)
        await asyncio.gather(*(each.done for each in readers))
    live = max(each.seen[0][1] for each in readers if each.seen)
    seen = [one for each in readers for one in each.seen]
    click.echo(json.dumps([(came - sent_at) / 1e6 for sent_at, came in seen if sent_at >= live]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))

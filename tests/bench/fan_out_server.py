"""Send one answer to many readers: `python -m bench.fan_out_server SOCKET READERS EVENTS`.

Runs the daemon's own sockets, subscribers and log, without a worker: this process writes the
answer itself. On SOCKET.bare, a WebSocket server sends the same frames to its readers in a loop.
Prints the chat's id, waits until both have their readers, and prints the CPU seconds that each took
for EVENTS events, as one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import structlog
from aiohttp import WSMsgType, web

from palaver.clock import SystemClock
from palaver.wire.chats import CreateChat
from palaverd.config.types import Config, WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.transitions.turn import record_attempt
from palaverd.stream.episode import Episode
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat

DELTA = " a word of ordinary length or two, and what belongs around it in such an event"
ROUNDS = 5  # alternately, so that noise affects both


class Bare:
    """A minimal server that sends frames to many readers."""

    def __init__(self) -> None:
        self.sockets: set[web.WebSocketResponse] = set()

    async def serve(self, socket: Path) -> web.AppRunner:
        """Serve on a Unix socket; the caller cleans up the runner."""
        app = web.Application()
        app.router.add_get("/", self._accept)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        return runner

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self.sockets.add(socket)
        async for _ in socket:
            pass
        return socket

    async def send(self, frame: bytes) -> None:
        """Send a frame to all readers."""
        for socket in self.sockets:
            await socket.send_frame(frame, WSMsgType.TEXT)


async def chat_with_episode(daemon: Daemon) -> tuple[str, Episode]:
    """Return the id of a chat in which a model seems to be answering, and its episode."""
    made = await create_chat(daemon.context, Asker(LOCAL_OWNER), CreateChat("go", title="bench"))
    chat_id = made.chat.id
    applied = await daemon.door.apply(chat_id, lambda chat: record_attempt(chat, "bench"))
    episode = daemon.episodes.begin(chat_id, applied.row.episode)
    episode.open_block("text")
    return chat_id, episode


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` is true."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def main(socket: Path, readers: int, events: int) -> None:
    """Send events through the daemon and the bare server alternately; print the CPU seconds."""
    # Two sockets for each reader: more files than the usual limit of a process.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # The benchmark reads this output.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    daemon = Daemon(
        socket.parent / "data",
        socket,
        Config(worker=WorkerConfig(enabled=False)),
        clock=SystemClock(),
        chance=random.Random(1),
        keys={},
    )
    await daemon.start()
    bare = Bare()
    runner = await bare.serve(socket.with_suffix(".bare"))
    chat_id, episode = await chat_with_episode(daemon)
    click.echo(chat_id)
    await until(lambda: len(daemon.sockets) == readers == len(bare.sockets))
    await asyncio.sleep(0.5)  # the last reader's first frames
    used = {"ours": 0.0, "bare": 0.0}
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(events // ROUNDS):
            episode.append(0, DELTA)
            daemon.episodes.wake(chat_id)
            await asyncio.sleep(0)  # every reader is sent it in this turn
        used["ours"] += time.process_time() - began
        await asyncio.sleep(0.1)
        frame = b"[" + episode._event(0, episode.blocks[0].length, DELTA) + b"]"
        began = time.process_time()
        for _ in range(events // ROUNDS):
            await bare.send(frame)
            await asyncio.sleep(0)
        used["bare"] += time.process_time() - began
        await asyncio.sleep(0.1)
    click.echo(json.dumps(used))
    await runner.cleanup()
    await daemon.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

"""Send one answer to many readers: `python -m bench.fan_out_server SOCKET READERS EVENTS`.

Runs the daemon's own sockets, subscribers and log, without a worker: this process writes the
answer itself. Three minimal servers send the same frames to readers of their own in a loop: aiohttp
on SOCKET.bare and on TCP, picows on TCP. Prints the addresses of all four as one JSON line, waits
until they have their readers, and prints the CPU seconds that each took for EVENTS events, as
another one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import sys
import time
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Protocol

import click
import structlog

from bench.fan_out_lanes import Bare, Picows
from palaver.clock import SystemClock
from palaver.wire.chats import CreateChat
from palaverd.config.types import Config, WorkerConfig
from palaverd.daemon import Daemon
from palaverd.platform.descriptors import allow
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.transitions.turn import record_attempt
from palaverd.stream.episode import Episode
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat

DELTA = " a word of ordinary length or two, and what belongs around it in such an event"


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


def on_unix(path: Path) -> socket.socket:
    """Return a socket that is bound to a path."""
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    return bound


def on_tcp() -> socket.socket:
    """Return a socket that is bound to a free port of this machine."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


class Ours:
    """The daemon's own way."""

    def __init__(self, daemon: Daemon, chat_id: str, episode: Episode) -> None:
        self._daemon = daemon
        self._chat_id = chat_id
        self._episode = episode

    async def send(self, _frame: bytes) -> None:
        """Append an event to the log, and tell the subscribers, which are sent it in this turn."""
        self._episode.append(0, DELTA)
        self._daemon.episodes.wake(self._chat_id)


class Lane(Protocol):
    """One way to send an event to all readers."""

    async def send(self, frame: bytes) -> None:
        """Send it; at the latest in the next turn of the event loop."""


async def measure(lanes: dict[str, Lane], events: int, frame: bytes) -> dict[str, float]:
    """Return the CPU seconds of each lane.

    They take turns for each event: to send to a reader that sleeps costs more than to one that is
    still busy with the event before, so that a lane of its own would be faster for being fast.
    """
    used = dict.fromkeys(lanes, 0)
    order = list(lanes.items())
    for _ in range(events):
        order.reverse()
        for name, lane in order:
            began = time.thread_time_ns()
            await lane.send(frame)
            await asyncio.sleep(0)
            used[name] += time.thread_time_ns() - began
    return {name: each / 1e9 for name, each in used.items()}


async def main(path: Path, readers: int, events: int) -> None:
    """Send events in all lanes in turn; print the CPU seconds."""
    allow(8 * readers + 256)  # two files for each reader of four servers: more than usual
    # The benchmark reads this output.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    daemon = Daemon(
        path.parent / "data",
        path,
        Config(worker=WorkerConfig(enabled=False)),
        clock=SystemClock(),
        chance=random.Random(1),
        keys={},
    )
    await daemon.start()
    chat_id, episode = await chat_with_episode(daemon)
    bare, bare_tcp, picows = Bare(), Bare(), Picows()
    sockets = [on_unix(path.with_suffix(".bare")), on_tcp(), on_tcp()]
    async with (
        bare.serving(sockets[0]),
        bare_tcp.serving(sockets[1]),
        picows.serving(sockets[2]),
    ):
        ports = [str(each.getsockname()[1]) for each in sockets[1:]]
        click.echo(json.dumps([f"/api/v1/chats/{chat_id}/stream", *ports]))
        full: list[Sized] = [daemon.sockets, bare, bare_tcp, picows]
        await until(lambda: all(len(each) == readers for each in full))
        await asyncio.sleep(0.5)  # the last reader's first frames
        frame = b"[" + episode._event(0, 10_000, DELTA) + b"]"
        ours = Ours(daemon, chat_id, episode)
        used: dict[str, float] = {}
        pairs: list[dict[str, Lane]] = [
            {"ours": ours, "bare": bare},
            {"picows": picows, "bare_tcp": bare_tcp},
        ]
        for pair in pairs:
            await measure(pair, 10, frame)
            used |= await measure(pair, events, frame)
        click.echo(json.dumps(used))
    await daemon.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

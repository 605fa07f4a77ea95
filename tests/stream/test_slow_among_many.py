"""One client that reads a byte a second, among two hundred subscribers of a chat."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from math import ceil

import pytest

from palaver.wire import decode
from palaver.wire.events import Heartbeat
from palaverd.api.limits import CLOSE_NOT_READ, HEARTBEAT_S, PARTING_S, SEND_STALL_S
from palaverd.config.types import WorkerConfig
from stream.stage import Stage
from support.clock import ManualClock, until
from support.daemon import running_pair
from support.view import View, read_until

OTHERS = 199
FRAME = 64 * 1024  # bytes of a frame in this test, so that an answer has many
PIECE, PIECES = 4096, 128  # an answer of twice what a Unix socket's buffers take, and more
# What aiohttp takes before a writer waits (256 KiB), a frame beyond that, and small events.
MOST_UNSENT = 256 * 1024 + 2 * FRAME
LONG_S = 120.0  # for two hundred clients on a busy machine


def frames(reader: socket.socket, begun: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and payload of each frame up to the end; `begun` was read of the head."""

    def exactly(size: int) -> bytes:
        return reader.recv(size, socket.MSG_WAITALL) if size else b""

    while not begun.endswith(b"\r\n\r\n"):
        begun += exactly(1)
    while len(head := exactly(2)) == 2:
        size = head[1]
        if size >= 126:
            size = int.from_bytes(exactly(2 if size == 126 else 8), "big")
        yield head[0] & 0x0F, exactly(size)
        if head[0] & 0x0F == 8:
            return


async def test_it_costs_little_is_told_why_it_is_closed_and_ends_with_the_same_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("palaverd.stream.subscriber.FRAME_LIMIT", FRAME)
    monkeypatch.setattr("palaverd.stream.episode.SLICE", FRAME)
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        stage = Stage(daemon)
        await stage.create()
        (await stage.attempt()).open_block("text")
        views = [View() for _ in range(OTHERS)]
        readings = [
            asyncio.create_task(
                read_until(
                    client,
                    stage.chat_id,
                    view,
                    lambda view=view: view.status == "waiting",  # type: ignore[misc]
                    patience_s=LONG_S,
                )
            )
            for view in views
        ]
        with socket.socket(socket.AF_UNIX) as slow:
            await asyncio.to_thread(slow.connect, str(daemon.socket))
            slow.sendall(
                f"GET /api/v1/chats/{stage.chat_id}/stream HTTP/1.1\r\nHost: localhost\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            await until(lambda: len(daemon.sockets) == OTHERS + 1)
            await until(lambda: all(view.caught_up for view in views))
            said = 0
            for rounds in (1, 2):
                for number in range(PIECES):
                    stage.say(0, f"{number:05d} {'x' * (PIECE - 7)} ")
                    said += PIECE
                    await asyncio.sleep(0)
                async with asyncio.timeout(LONG_S):
                    while not all(len(v.live[0].text) == said for v in views if v.live):
                        await asyncio.sleep(0.01)
                await until(lambda: all(view.live for view in views))
                # What waits is that of the slow one; twice the answer is not twice of it.
                await until(lambda: 0 < daemon.connections.unsent <= MOST_UNSENT)
                assert said > rounds * MOST_UNSENT
            begun = b""
            for _ in range(ceil(SEND_STALL_S / HEARTBEAT_S) + 1):
                clock.advance(HEARTBEAT_S)
                begun += await asyncio.to_thread(slow.recv, int(HEARTBEAT_S))
                await asyncio.sleep(0.01)  # the others answer pings
            # Its reader wakes up.
            clock.advance(PARTING_S / 2)
            *told, (opcode, reason) = await asyncio.to_thread(lambda: list(frames(slow, begun)))
            assert (opcode, int.from_bytes(reason[:2], "big")) == (8, CLOSE_NOT_READ)
        await until(lambda: len(daemon.sockets) == OTHERS)
        late = View()
        for kind, payload in told:
            if kind == 1:
                for event in decode.stream_frame(payload).value:
                    if not isinstance(event, Heartbeat):
                        late.take_new(event)
        whole = views[0].live[0].text
        assert 0 < len(late.live[0].text) < len(whole)
        assert whole.startswith(late.live[0].text)
        rejoined = asyncio.create_task(
            read_until(client, stage.chat_id, late, lambda: late.status == "waiting")
        )
        await until(lambda: late.live[0].text == whole)
        await stage.commit()
        await stage.finish()
        await rejoined
        await asyncio.gather(*readings)
        for view in (*views, late):
            assert view.shown == views[0].shown
            assert view.told == views[0].told

#!/usr/bin/env bash
# A send of aiohttp's that is given up in a timeout makes every later one of that connection raise
# CancelledError, in tasks that nobody cancelled.
#
# Seen with aiohttp 3.14.5 and Python 3.11.
#
# One would guess: asyncio.timeout around a send that a slow reader holds up ends that send, and
# what one does about it next (close the socket, say why) works or fails by itself.
# What happens: all that wait until a connection takes more await one future. The timeout cancels
# the task, which cancels that future, and it stays there, cancelled, until the reader takes
# something. Whoever waits for room next awaits a cancelled future: CancelledError, at once, without
# a cancellation of that task (current_task().cancelling() is 0). Of that `except Exception` sees
# nothing, and a task that raises it counts as cancelled: what came after, such as logging and
# tidying up, is skipped without a word.
#
# What follows: after a send that was given up, abort the transport (request.transport.abort())
# instead of closing politely.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5
cat > "$work/probe.py" <<'PY'
import asyncio

from aiohttp import web

LONG = b"x" * 16_000_000


async def stream(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    try:
        async with asyncio.timeout(0.2):
            await socket.send_bytes(LONG)
    except TimeoutError:
        print("the first send: given up in time")
    task = asyncio.current_task()
    try:
        await socket.close(code=4000)
        print("the close: done")
    except asyncio.CancelledError:
        print(f"the close: CancelledError, cancelled by {task.cancelling()}")
    request.transport.abort()
    return socket


async def main() -> None:
    app = web.Application()
    app.add_routes([web.get("/", stream)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0][:2], limit=1024)
    head = (
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    writer.write(head.encode())  # and then it reads nothing
    await asyncio.sleep(1)
    writer.transport.abort()
    await runner.cleanup()


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
the first send: given up in time
the close: CancelledError, cancelled by 0
SEEN

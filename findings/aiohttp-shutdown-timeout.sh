#!/usr/bin/env bash
# aiohttp's server waits for ever with shutdown_timeout=0, and twice as long as any other value says.
#
# Seen with aiohttp 3.14.5 and Python 3.11.
#
# One would guess: 0 seconds means that handlers which still run are cancelled at once, and 0.5
# that cleanup() returns after half a second.
# What happens: 0 waits until the handler is done by itself (3 s here), as None would; 0.5 takes
# 1.0 s, once for the connections and once more for their handlers.
#
# What follows: pass a small positive number to end at once, and count it twice in a deadline.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5
cat > "$work/probe.py" <<'PY'
import asyncio
import time

import aiohttp
from aiohttp import web

HANDLER_S = 3.0


async def closing_takes(shutdown_timeout: float) -> float:
    began = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        began.set()
        await asyncio.sleep(HANDLER_S)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", slow)
    runner = web.AppRunner(app, shutdown_timeout=shutdown_timeout)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (host, port), *_ = runner.addresses
    async with aiohttp.ClientSession() as session:
        call = asyncio.create_task(session.post(f"http://{host}:{port}/"))
        await began.wait()
        start = time.monotonic()
        await runner.cleanup()
        took = time.monotonic() - start
        await asyncio.gather(call, return_exceptions=True)
    return took


async def main() -> None:
    for given in (0.0, 0.5):
        took = await closing_takes(given)
        # Rounded to halves of a second, so that a busy machine says the same.
        print(f"shutdown_timeout={given}: {round(took * 2) / 2:.1f} s")


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
shutdown_timeout=0.0: 3.0 s
shutdown_timeout=0.5: 1.0 s
SEEN

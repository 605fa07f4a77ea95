#!/usr/bin/env bash
# aiohttp's client follows redirects of a WebSocket handshake, and has no switch against it.
#
# Seen with aiohttp 3.14.5 and Python 3.11.
#
# One would guess: a handshake that is answered with anything but 101 has failed, as in browsers
# (WHATWG, WebSockets: redirects are a failure), or at least allow_redirects=False can be said, as
# for every other request of the same session.
# What happens: ws_connect asks wherever it is sent, up to ten times, and the socket is open with
# what answers there; ws_connect takes no allow_redirects. Only `ws._response.history`, which is not
# public, tells that it was sent elsewhere.
#
# What follows: who must know whom a socket is open with refuses redirects in a trace
# (TraceConfig.on_request_redirect), which may raise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5
cat > "$work/probe.py" <<'PY'
import asyncio

from aiohttp import ClientSession, TraceConfig, web


async def moved(request: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect("/elsewhere")


async def elsewhere(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(f"this is {request.path}")
    await socket.close()
    return socket


class Refused(Exception):
    pass


async def refuse(*_: object) -> None:
    raise Refused


async def main() -> None:
    app = web.Application()
    app.add_routes([web.get("/stream", moved), web.get("/elsewhere", elsewhere)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/stream"
    async with ClientSession() as session:
        async with session.get(url, allow_redirects=False) as answer:
            print(f"get: {answer.status}")
        async with session.ws_connect(url) as socket:
            print(f"ws_connect: {(await socket.receive()).data}")
        try:
            await session.ws_connect(url, allow_redirects=False)
        except TypeError:
            print("ws_connect knows no allow_redirects")
    trace = TraceConfig()
    trace.on_request_redirect.append(refuse)
    async with ClientSession(trace_configs=[trace]) as session:
        try:
            await session.ws_connect(url)
        except Refused:
            print("a trace refuses it")
    await runner.cleanup()


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
get: 307
ws_connect: this is /elsewhere
ws_connect knows no allow_redirects
a trace refuses it
SEEN

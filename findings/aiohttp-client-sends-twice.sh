#!/usr/bin/env bash
# aiohttp's client sends a GET, PUT or DELETE a second time by itself when the server closes the
# connection without an answer - on a connection that was never used before, too.
#
# Seen with aiohttp 3.14.5 and Python 3.11.
#
# One would guess: a request is sent again only on a kept-alive connection that had gone stale,
# where the server cannot have seen it; a new connection fails with the first error.
# What happens: every method that RFC 9110 calls idempotent is sent twice, POST and PATCH once,
# and the opening GET of a WebSocket twice. Both requests are read by the server in full. There is
# no public switch. A DELETE that took effect before the server died is so answered by whoever
# comes next with "not found", and the caller never learns that it was the one who deleted.
#
# What follows: give a DELETE an idempotency key, or take a second "not found" for success.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5
cat > "$work/probe.py" <<'PY'
import asyncio

import aiohttp


async def main() -> None:
    heads: list[bytes] = []

    async def answer_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(answer_nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for method in ("GET", "PUT", "DELETE", "POST", "PATCH", "WebSocket"):
        heads.clear()
        async with aiohttp.ClientSession() as session:  # new: no connection was used before
            try:
                if method == "WebSocket":
                    await session.ws_connect(url)
                else:
                    await session.request(method, url)
            except aiohttp.ServerDisconnectedError:
                print(f"{method}: the server read {len(heads)}")


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
GET: the server read 2
PUT: the server read 2
DELETE: the server read 2
POST: the server read 1
PATCH: the server read 1
WebSocket: the server read 2
SEEN

"""Respond with a fault: one function per manner, and their tables."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime

from aiohttp import web

from palaverd.simulator.faults import Manner
from palaverd.simulator.positions import before
from palaverd.simulator.script import Injected
from palaverd.simulator.speech import Speech

# Seconds between pings, when nothing else is sent.
PING_SECONDS = 1.0
# Bytes of one write of a flood: about a socket's buffer.
FLOOD_BYTES = 64 * 1024
# A private-use character, which occurs nowhere else in the encoded event.
_PLACEHOLDER = "\ue000"
_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


async def misbehave(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Respond with a fault. A fault inside a stream does not affect unstreamed answers."""
    if injected.at == "head":
        return await MANNERS_HEAD[injected.fault.manner](speech, injected)
    whole = MANNERS_WHOLE.get(injected.fault.manner)
    if whole is not None:
        return await whole(speech, injected)
    if not speech.prompt.stream:
        return await speech.send()
    return await MANNERS_STREAMED[injected.fault.manner](speech, injected)


# --- instead of an answer ---------------------------------------------------------------------


async def _status(speech: Speech, injected: Injected) -> web.StreamResponse:
    body = speech.wire.error(injected.fault, None, speech.request_id)
    return speech.reply(injected.fault.status, body, _headers(speech, injected))


async def _leak(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Respond with the whole request, as careless gateways do."""
    request = speech.request
    sent = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    bare = request.headers.get("Authorization", "").rpartition(" ")[2]
    message = f"{bare} is no good: cannot forward {request.method} {request.url} with {sent}"
    body = speech.wire.error(injected.fault, message, speech.request_id)
    return speech.reply(injected.fault.status, body, _headers(speech, injected) | {"x-seen": sent})


def _headers(speech: Speech, injected: Injected) -> dict[str, str]:
    headers = dict(injected.headers)
    if injected.retry_date is not None:
        then = speech.clock.now() + timedelta(seconds=injected.retry_date)
        headers["retry-after"] = format_datetime(then, usegmt=True)
        headers["date"] = format_datetime(speech.clock.now(), usegmt=True)
    return headers


async def _html(speech: Speech, injected: Injected) -> web.StreamResponse:
    fault = injected.fault
    return web.Response(
        status=fault.status,
        text=_PAGE.format(f"{fault.status} {fault.message}"),
        content_type="text/html",
    )


async def _redirect(speech: Speech, injected: Injected) -> web.StreamResponse:
    return web.Response(status=injected.fault.status, headers={"location": "/elsewhere"})


async def _refuse(speech: Speech, injected: Injected) -> web.StreamResponse:
    _reset_connection(speech.request)
    return web.Response()


async def _hang_up(speech: Speech, injected: Injected) -> web.StreamResponse:
    _close_connection(speech.request)
    return web.Response()


async def _hold_on(speech: Speech, injected: Injected) -> web.StreamResponse:
    await speech.until_gone()
    return web.Response()


# --- inside a stream --------------------------------------------------------------------------


async def _beginning(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Send the answer up to the position of the fault."""
    response = await speech.open()
    async for frame in speech.paced(before([*speech.frames()], injected.at, injected.after)):
        await response.write(frame.data)
    return response


async def _error_event(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    await response.write(speech.wire.error_event(injected.fault, speech.request_id))
    await response.write_eof()
    return response


async def _close(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    await response.write_eof()
    return response


async def _cut(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    _close_connection(speech.request)
    return response


async def _reset(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    _reset_connection(speech.request)
    return response


async def _silence(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    await speech.until_gone()
    return response


async def _pings(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    speech.stalls()
    while True:
        await speech.clock.sleep(PING_SECONDS)
        await response.write(speech.wire.ping())


async def _garbage(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    await response.write(b"data: {half a thought\n\n")
    await response.write_eof()
    return response


async def _bad_utf8(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    await response.write(_word(speech, _PLACEHOLDER).replace(_PLACEHOLDER.encode(), b"\xc3\x28"))
    await response.write_eof()
    return response


async def _flood(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Send words without end."""
    response = await _beginning(speech, injected)
    more = _word(speech, "x" * FLOOD_BYTES)
    while True:
        await response.write(more)


async def _endless_event(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Send one line without end."""
    response = await _beginning(speech, injected)
    await response.write(b"data: ")
    while True:
        await response.write(b"x" * FLOOD_BYTES)


async def _no_terminal(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await speech.open()
    async for frame in speech.paced():
        if frame.kind != "terminal":
            await response.write(frame.data)
    await response.write_eof()
    return response


async def _stay_open(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await speech.open()
    async for frame in speech.paced():
        await response.write(frame.data)
    await speech.until_gone()
    return response


async def _split(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await speech.open()
    async for frame in speech.paced():
        for position in range(len(frame.data)):
            await response.write(frame.data[position : position + 1])
    await response.write_eof()
    return response


async def _duplicate(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Send structure events twice; deltas would be taken as new text."""
    response = await speech.open()
    async for frame in speech.paced():
        await response.write(frame.data)
        if frame.kind == "structure":
            await response.write(frame.data)
    await response.write_eof()
    return response


async def _filter(speech: Speech, injected: Injected) -> web.StreamResponse:
    return await speech.empty("filter").send()


async def _empty(speech: Speech, injected: Injected) -> web.StreamResponse:
    return await speech.empty("stop").send()


async def _wrong_type(speech: Speech, injected: Injected) -> web.StreamResponse:
    return web.Response(text=_PAGE.format("Welcome to the network"), content_type="text/html")


Behaviour = Callable[[Speech, Injected], Awaitable[web.StreamResponse]]

MANNERS_WHOLE: dict[Manner, Behaviour] = {
    "status": _status,
    "leak": _leak,
    "html": _html,
    "redirect": _redirect,
    "refuse": _refuse,
    "wrong-type": _wrong_type,
    "filter": _filter,
    "empty": _empty,
}
# Those that can strike before the response's head.
MANNERS_HEAD: dict[Manner, Behaviour] = {
    "cut": _hang_up,
    "reset": _refuse,
    "silence": _hold_on,
}
MANNERS_STREAMED: dict[Manner, Behaviour] = {
    "error-event": _error_event,
    "close": _close,
    "cut": _cut,
    "reset": _reset,
    "silence": _silence,
    "pings": _pings,
    "garbage": _garbage,
    "bad-utf8": _bad_utf8,
    "flood": _flood,
    "endless-event": _endless_event,
    "no-terminal": _no_terminal,
    "stay-open": _stay_open,
    "split": _split,
    "duplicate": _duplicate,
}


def _word(speech: Speech, text: str) -> bytes:
    """Return a delta event with `text`, without its sequence number, which was used already."""
    frames = speech.wire.frames(speech.saying(text), speech.prompt)
    word = next(frame.data for frame in frames if frame.kind == "word")
    return re.sub(rb'"sequence_number":\d+,', b"", word)


def _close_connection(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


def _reset_connection(request: web.Request) -> None:
    """Close with a TCP reset: SO_LINGER of 0 s discards unsent data (socket(7))."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()

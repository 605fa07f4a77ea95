"""Fails in the way that was asked for: one function per manner, and the table of them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from email.utils import format_datetime

from aiohttp import web

from palaverd.simulator.faults import Manner
from palaverd.simulator.script import Injected
from palaverd.simulator.speech import Speech, until_gone

# Between pings, when nothing else is sent.
PING_SECONDS = 1.0
# A private character, so that no encoder writes it for another reason.
_PLACEHOLDER = "\ue000"
_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


async def misbehave(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Answer with a fault. One inside a stream spares answers that are not streamed."""
    whole = MANNERS_WHOLE.get(injected.fault.manner)
    if whole is not None:
        return await whole(speech, injected)
    if not speech.prompt.stream:
        return await speech.send()
    return await MANNERS_STREAMED[injected.fault.manner](speech, injected)


# --- instead of an answer ---------------------------------------------------------------------


async def _status(speech: Speech, injected: Injected) -> web.StreamResponse:
    headers = dict(injected.headers)
    if injected.retry_date is not None:
        then = speech.clock.now() + timedelta(seconds=injected.retry_date)
        headers["retry-after"] = format_datetime(then, usegmt=True)
        headers["date"] = format_datetime(speech.clock.now(), usegmt=True)
    fault = injected.fault
    body = speech.wire.error(fault, None, speech.request_id)
    return speech.reply(fault.status, body, headers)


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


# --- inside a stream --------------------------------------------------------------------------


async def _beginning(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Send the answer's beginning, up to the word where the fault strikes."""
    response = await speech.open()
    words = 0
    async with aclosing(speech.paced()) as frames:
        async for frame in frames:
            if frame.kind == "word":
                if words >= injected.after:
                    break
                words += 1
            elif frame.kind == "terminal":
                break
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
    if speech.request.transport is not None:
        speech.request.transport.close()
    return response


async def _reset(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    _reset_connection(speech.request)
    return response


async def _silence(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
    await until_gone()
    return response


async def _pings(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await _beginning(speech, injected)
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
    frames = speech.wire.frames(speech.saying(_PLACEHOLDER), speech.prompt)
    word = next(frame.data for frame in frames if frame.kind == "word")
    await response.write(word.replace(_PLACEHOLDER.encode(), b"\xc3\x28"))
    await response.write_eof()
    return response


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
    await until_gone()
    return response


async def _split(speech: Speech, injected: Injected) -> web.StreamResponse:
    response = await speech.open()
    async for frame in speech.paced():
        for position in range(len(frame.data)):
            await response.write(frame.data[position : position + 1])
    await response.write_eof()
    return response


async def _duplicate(speech: Speech, injected: Injected) -> web.StreamResponse:
    """Repeat what a reader can tell from new content: structure, never words."""
    response = await speech.open()
    async for frame in speech.paced():
        await response.write(frame.data)
        if frame.kind == "structure":
            await response.write(frame.data)
    await response.write_eof()
    return response


async def _filter(speech: Speech, injected: Injected) -> web.StreamResponse:
    return await speech.refusing().send()


async def _wrong_type(speech: Speech, injected: Injected) -> web.StreamResponse:
    return web.Response(text=_PAGE.format("Welcome to the network"), content_type="text/html")


Behaviour = Callable[[Speech, Injected], Awaitable[web.StreamResponse]]

MANNERS_WHOLE: dict[Manner, Behaviour] = {
    "status": _status,
    "html": _html,
    "redirect": _redirect,
    "refuse": _refuse,
    "wrong-type": _wrong_type,
    "filter": _filter,
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
    "no-terminal": _no_terminal,
    "stay-open": _stay_open,
    "split": _split,
    "duplicate": _duplicate,
}


def _reset_connection(request: web.Request) -> None:
    """Close with a TCP reset: lingering for no time discards what was not sent (socket(7))."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()

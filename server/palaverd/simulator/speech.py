"""Send one answer at its rate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping

import msgspec
from aiohttp import web

from palaver.clock import Clock
from palaverd.simulator.prompt import Answer, Prompt
from palaverd.simulator.wire import Frame, Wire


class Speech:
    """The response to one request. `rate` is words per second, 0 for no pauses."""

    def __init__(
        self,
        *,
        wire: Wire,
        request: web.Request,
        request_id: str,
        prompt: Prompt,
        answer: Answer,
        rate: float,
        slow_first: float,
        clock: Clock,
        stalls: Callable[[], None],
    ) -> None:
        self.wire = wire
        self.request = request
        self.request_id = request_id
        self.prompt = prompt
        self.answer = answer
        self.clock = clock
        self._rate = rate
        self._slow_first = slow_first
        self.stalls = stalls

    def frames(self) -> Iterator[Frame]:
        """Return the events of the answer."""
        return self.wire.frames(self.answer, self.prompt)

    def saying(self, text: str) -> Answer:
        """Return the answer with `text` as its only content."""
        return msgspec.structs.replace(self.answer, text=text, reasoning="", calls=())

    def empty(self, finish: str) -> Speech:
        """Return a speech without content, with the finish `finish`."""
        return Speech(
            wire=self.wire,
            request=self.request,
            request_id=self.request_id,
            prompt=self.prompt,
            answer=msgspec.structs.replace(self.saying(""), finish=finish, output_tokens=0),
            rate=self._rate,
            slow_first=self._slow_first,
            clock=self.clock,
            stalls=self.stalls,
        )

    def reply(
        self, status: int, body: object, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """Return a JSON response with our request id."""
        return web.json_response(
            body,
            status=status,
            headers={self.wire.request_id_header: self.request_id, **(headers or {})},
        )

    async def send(self) -> web.StreamResponse:
        """Send the whole answer, streamed or not."""
        if not self.prompt.stream:
            await self.clock.sleep(self._slow_first)
            return self.reply(200, self.wire.whole(self.answer))
        response = await self.open()
        async for frame in self.paced():
            await response.write(frame.data)
        await response.write_eof()
        return response

    async def open(self) -> web.StreamResponse:
        """Send the head of a stream."""
        response = web.StreamResponse(
            headers={
                "content-type": "text/event-stream; charset=utf-8",
                "cache-control": "no-cache",
                self.wire.request_id_header: self.request_id,
            }
        )
        await response.prepare(self.request)
        return response

    async def until_gone(self) -> None:
        """Send nothing more until the client disconnects, which cancels the handler."""
        self.stalls()
        await asyncio.Event().wait()

    async def paced(self, frames: Iterable[Frame] | None = None) -> AsyncGenerator[Frame, None]:
        """Yield the frames at the rate; late ones at once, so that the average holds."""
        if self._slow_first:
            await self.clock.sleep(self._slow_first)
        due = self.clock.monotonic()
        for frame in self.frames() if frames is None else frames:
            if frame.kind in ("word", "arguments") and self._rate:
                due += 1 / self._rate
                pause = due - self.clock.monotonic()
                if pause > 0:
                    await self.clock.sleep(pause)
            yield frame

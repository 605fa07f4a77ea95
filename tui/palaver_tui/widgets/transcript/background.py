"""Background work: layout and pictures in threads, search in slices on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from palaver.wire.messages import Picture
from palaver_tui.platform.pictures import UnreadablePictureError, pixels_of
from palaver_tui.text.document import Job
from palaver_tui.text.half_blocks import Grid, Pixels
from palaver_tui.timing import SEARCH_PAUSE_S
from palaver_tui.transcript.pictures import wanted_pictures
from palaver_tui.transcript.search import Search
from palaver_tui.transcript.viewport import Viewport

Spawn = Callable[[Coroutine[Any, Any, None]], object]


class BackgroundLayout:
    """Runs the viewport's layout jobs in a thread, one after the other.

    `told` is called with a message for the user when a layout fails.
    """

    def __init__(self, viewport: Viewport, spawn: Spawn, told: Callable[[str], None]) -> None:
        self.job: Job | None = None  # the running job
        self._viewport = viewport
        self._spawn = spawn
        self._told = told

    def look(self) -> None:
        """Start the next job, if none is running."""
        if self.job is None:
            self.job = self._viewport.next_job()
            if self.job is not None:
                self._spawn(self._do(self.job))

    async def _do(self, job: Job) -> None:
        try:
            lines = await asyncio.to_thread(job.lines)
        except Exception as error:  # noqa: BLE001  an odd text must not end the client
            lines = None
            self._told(f"Part of an answer stays as it is: {error!r}")
        self.job = None
        self._viewport.finish_job(job, lines)


class BackgroundPictures:
    """Decodes the pictures in view in a thread, one after the other."""

    def __init__(self, viewport: Viewport, spawn: Spawn) -> None:
        self._viewport = viewport
        self._spawn = spawn
        self._busy = False

    def look(self) -> None:
        """Start to decode pictures, if none is being decoded."""
        if not self._busy and next(wanted_pictures(self._viewport), None) is not None:
            self._busy = True
            self._spawn(self._decode())

    async def _decode(self) -> None:
        try:
            while (wanted := next(wanted_pictures(self._viewport), None)) is not None:
                wanted.put(await asyncio.to_thread(_decoded, wanted.picture, wanted.grid))
                self._viewport.settle()
        finally:
            self._busy = False


def _decoded(picture: Picture, grid: Grid) -> Pixels | None:
    try:
        return pixels_of(picture, grid)
    except UnreadablePictureError:
        return None  # only its caption is shown; opening it tells why


async def search_on(
    search: Search, told: Callable[[], object], later: Callable[[Callable[[], None]], object]
) -> None:
    """Search slice by slice until the search is done.

    `told` is called after each slice, `later` with the function to be called at the end.
    """
    try:
        while not search.done:
            if (apart := search.apart) is not None:
                search.put(apart, await asyncio.to_thread(apart.lines))
            else:
                await asyncio.sleep(SEARCH_PAUSE_S)
            search.advance()
            told()
            if (wish := search.take_wish()) is not None:
                later(wish)
    finally:
        search.paused()

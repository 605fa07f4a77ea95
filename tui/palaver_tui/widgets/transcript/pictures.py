"""Fills in the pictures that come into view, one after the other, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from palaver_tui.platform.pictures import UnreadablePictureError, pixels_of
from palaver_tui.text.half_blocks import Grid, Pixels
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.section import Section

if TYPE_CHECKING:
    from palaver_tui.widgets.transcript.widget import Transcript


class Picturing:
    """Decodes what is in view, and nothing else: a chat may hold any number of pictures."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._busy = False

    def look(self) -> None:
        """See whether a picture in view is not decoded yet."""
        if not self._busy and next(self.wanted(), None) is not None:
            self._busy = True
            self._transcript.run_worker(self._decode())

    async def _decode(self) -> None:
        try:
            while (found := next(self.wanted(), None)) is not None:
                section, block, grid = found
                block.put_picture(await asyncio.to_thread(_decoded, block, grid))
                section.stale = True
                self._transcript.settle()
        finally:
            self._busy = False

    def wanted(self) -> Iterator[tuple[Section, CallBlock, Grid]]:
        """Yield the pictures in view that are not decoded for the width they have."""
        for section in self._transcript.sections_in_view():
            for block in section.blocks:
                if isinstance(block.laid, CallBlock) and block.laid.picture_wanted is not None:
                    yield section, block.laid, block.laid.picture_wanted


def _decoded(block: CallBlock, grid: Grid) -> Pixels | None:
    assert block.picture is not None
    try:
        return pixels_of(block.picture.picture, grid)
    except UnreadablePictureError:
        return None  # its name stays; whoever opens it is told why

"""Pictures in view that have to be decoded, as a chat may have any number of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from palaver.wire.messages import Picture
from palaver_tui.text.half_blocks import Grid, Pixels
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.section import Section
from palaver_tui.transcript.viewport import Viewport


class WantedPicture(NamedTuple):
    """A picture in view that is not decoded for its current width."""

    section: Section
    block: CallBlock
    picture: Picture
    grid: Grid

    def put(self, pixels: Pixels | None) -> None:
        """Store the decoded picture to be drawn; None if it cannot be decoded: only its caption."""
        self.block.put_picture(pixels)
        self.section.stale = True


def wanted_pictures(viewport: Viewport) -> Iterator[WantedPicture]:
    """Yield the pictures in view that have to be decoded, top to bottom."""
    for section in viewport.sections():
        for block in section.blocks:
            laid = block.laid
            if isinstance(laid, CallBlock) and laid.picture and laid.picture_wanted is not None:
                yield WantedPicture(section, laid, laid.picture.picture, laid.picture_wanted)

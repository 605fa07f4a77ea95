"""Photograph the running client: `PYTHONPATH=tests python -m tui.screenshots [FOLDER] [--sizes]`.

Client, daemon and simulator are the real ones; the stories bring them into each state. With
`--sizes` every state is drawn at every size, for looking at them after a change.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from structlog.testing import capture_logs

from tui.photograph import BROWSERS, find_browser, photograph, portable
from tui.stage import stage
from tui.stories import STORIES

SIZES = ((80, 24), (120, 40), (60, 20))
MIDDLE = (100, 30)


class Picture(NamedTuple):
    """One picture: its name without an ending, and what is on it."""

    name: str
    story: str
    size: tuple[int, int] = MIDDLE
    theme: str = "palaver-dark"


PICTURES: tuple[Picture, ...] = (
    Picture("streaming", "streaming", (120, 40)),
    Picture("empty", "empty", (80, 24)),
    Picture("first-run", "first-run", (80, 24)),
    Picture("queued", "queue"),
    Picture("held", "held"),
    Picture("retrying", "retrying"),
    Picture("failed", "failed"),
    Picture("disconnected", "disconnected"),
    Picture("help", "help"),
    Picture("palette", "palette"),
    Picture("narrow", "queued", (60, 20)),
    Picture("light", "streaming", (120, 40), "palaver-light"),
    Picture("contrast", "streaming", (120, 40), "palaver-contrast"),
    Picture("plain", "streaming", (120, 40), "palaver-plain"),
)


def at_every_size() -> Iterator[Picture]:
    """Yield each story at each size."""
    for story in STORIES:
        for size in SIZES:
            yield Picture(f"{story}-{size[0]}x{size[1]}", story, size)


async def draw(picture: Picture) -> str:
    """Return a picture as SVG."""
    with capture_logs():
        async with stage(picture.size, keyless=picture.story == "first-run") as me:
            me.app.theme = picture.theme
            await STORIES[picture.story](me)
            me.app.paint()
            await me.pilot.pause()
            return portable(me.app.export_screenshot(title="palaver"))


async def main(folder: Path, pictures: list[Picture]) -> None:
    """Draw all pictures into `folder`."""
    browser = find_browser()
    if browser is None:
        print(  # noqa: T201 - it is a command
            f"No Chromium is installed ({', '.join(BROWSERS)}), which draws the PNG files:"
            " only the SVG files are drawn, and the PNG files stay as they were.",
            file=sys.stderr,
        )
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        svg = folder / f"{picture.name}.svg"
        svg.write_text(await draw(picture))
        if browser is not None:
            await asyncio.to_thread(photograph, browser, svg)
        print(svg.with_suffix(".png") if browser else svg)  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="screenshots")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--sizes", action="store_true", help="every state at every size")
    parser.add_argument("--only", default="", help="the beginning of the names to draw")
    chosen = parser.parse_args()
    wanted = at_every_size() if chosen.sizes else iter(PICTURES)
    asyncio.run(main(chosen.folder, [one for one in wanted if one.name.startswith(chosen.only)]))

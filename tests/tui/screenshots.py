"""Photograph the running client: `PYTHONPATH=tests python -m tui.screenshots [FOLDER] [--sizes]`.

Client, daemon and simulator are the real ones; the stories bring them into each state. For
`RECORDED` states the real client gets a recorded stream: chats with tool calls. With `--sizes`
every state is drawn at every size, to check them after a change.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from structlog.testing import capture_logs

from tui.photograph import BROWSERS, find_browser, photograph, portable
from tui.replay import ReplayClient
from tui.screen import client, pictures_are_drawn
from tui.sheet import running_tools, sheet, writing_a_call
from tui.stage import stage
from tui.stories import STORIES

SIZES = ((80, 24), (120, 40), (60, 20))
MIDDLE = (100, 30)
# Recorded streams: the function, whether all is unfolded, and the keys pressed after that.
RECORDED: dict[str, tuple[Callable[[ReplayClient], None], bool, tuple[str, ...]]] = {
    "tools": (sheet, True, ()),
    "folded": (sheet, False, ()),
    "running-tools": (running_tools, True, ()),
    "writing-a-call": (writing_a_call, True, ()),
    "search": (sheet, False, ("ctrl+f", "r", "e", "l", "a", "y")),
    "selection": (sheet, False, ("ctrl+t", "v", "down", "down", *["shift+down"] * 4)),
}


class Picture(NamedTuple):
    """One picture: its file's name without suffix, story, size and theme."""

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
    Picture("tools", "tools", (100, 40)),
    Picture("search", "search"),
    Picture("selection", "selection"),
    Picture("help", "help"),
    Picture("palette", "palette"),
    Picture("narrow", "queued", (60, 20)),
    Picture("light", "streaming", (120, 40), "palaver-light"),
    Picture("contrast", "streaming", (120, 40), "palaver-contrast"),
    Picture("plain", "streaming", (120, 40), "palaver-plain"),
)


def at_every_size() -> Iterator[Picture]:
    """Yield each story at each size."""
    for story in [*STORIES, *RECORDED]:
        for size in [*SIZES, (200, 50)] if story in RECORDED else SIZES:
            yield Picture(f"{story}-{size[0]}x{size[1]}", story, size)


async def draw(picture: Picture) -> str:
    """Return a picture as SVG."""
    if picture.story in RECORDED:
        return await draw_recorded(picture)
    with capture_logs():
        async with stage(picture.size, keyless=picture.story == "first-run") as me:
            me.app.theme = picture.theme
            await STORIES[picture.story](me)
            me.app.paint()
            await me.pilot.pause()
            return portable(me.app.export_screenshot(title="palaver"))


async def draw_recorded(picture: Picture) -> str:
    """Return a picture of a recorded stream as SVG."""
    scene, unfold, keys = RECORDED[picture.story]
    daemon = ReplayClient()
    scene(daemon)
    with tempfile.TemporaryDirectory() as folder:
        async with client(Path(folder), daemon=daemon, chat_id="a", size=picture.size) as me:
            await me.until(lambda: me.view.caught_up and me.app.session.models)
            me.app.theme = picture.theme
            me.composer.cursor_blink = False
            me.transcript.viewport.set_folds(me.transcript.viewport.folds.all(unfold))
            await me.press(*keys)
            me.app.paint()
            await me.until(lambda: pictures_are_drawn(me.app))
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

"""Photograph the demo's stories: `PYTHONPATH=tests python -m tui.scenario_pictures [FOLDER]`.

Client, daemon and simulator are the real ones, with the configuration of the demo. `--sizes`
draws each at all sizes, to check them after a change.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from structlog.testing import capture_logs

from palaver_tui.app import PalaverApp
from palaverd.simulator.app import Recorded
from palaverd.simulator.faults import FAULTS
from tui.photograph import find_browser, photograph, portable
from tui.screen import screen_text, settled
from tui.stage import Stage, stage

SIZE = (100, 30)
SIZES = ((80, 24), (120, 40))
QUESTION = "Why is the sky blue?"
# The demo's guards are longer than the tests' patience with a screen.
BOUND_S = 20.0


async def comes(me: Stage, holds: Callable[[], object]) -> None:
    """Finish the simulator's answers until `holds`."""

    def there() -> object:
        me.let_them_finish()
        return holds()

    await settled(me.app, there, BOUND_S)


def waits(sentence: str, attempt: int = 1) -> Callable[[Stage], Awaitable[None]]:
    """Return a story: ask a question, wait for a retry whose error has this sentence.

    It checks the client's state, not the screen: the wait for the retry may last a second only.
    """

    async def play(me: Stage) -> None:
        await me.ask(QUESTION)

        def waiting() -> bool:
            retry = me.view.retry
            if retry is None or retry.attempt != attempt:
                return False
            return sentence in retry.error.message and me.listed.retry == retry

        await comes(me, waiting)

    return play


def ends(sentence: str) -> Callable[[Stage], Awaitable[None]]:
    """Return a story: ask a question, wait until the turn fails with this sentence."""

    async def play(me: Stage) -> None:
        await me.ask(QUESTION)
        await comes(me, lambda: me.view.error and sentence in me.view.error.message)
        await comes(me, lambda: me.listed.status == "error")

    return play


def asked_anew(me: Stage, before: list[Recorded]) -> bool:
    return me.simulator.requests[-1:] != before or bool(before)


async def everything(me: Stage) -> None:
    """Ask once for each fault; chats that fail for good stay in the list."""
    for number, name in enumerate(FAULTS):
        if number:
            await me.press("ctrl+n")
        await me.ask(f"What is {name}?")
        before = me.simulator.requests[-1:]
        await me.until(partial(asked_anew, me, before))
        me.let_them_finish()
    await me.press("ctrl+l")
    await comes(me, lambda: "failed" in screen_text(me.app))


# The stories, with the sentence that the user reads in each.
STORIES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "rate-limited": waits("takes no more requests"),
    "overloaded-then-fine": waits("is overloaded", attempt=2),
    "dies-mid-sentence": waits("before the answer was whole"),
    "bad-key": ends("did not accept the API key"),
    "too-long": ends("no longer fits"),
    "silent": waits("nothing came for 5 s"),
    "flaky-network": waits("was lost"),
    "everything": everything,
}


async def draw(name: str, size: tuple[int, int]) -> str:
    """Return the picture of a story as SVG."""
    with capture_logs():
        async with stage(size, scenario=name) as me:
            me.app.theme = "palaver-dark"
            await STORIES[name](me)
            return await _picture(me.app, me)


async def _picture(app: PalaverApp, me: Stage) -> str:
    app.paint()
    await me.pilot.pause()
    return portable(app.export_screenshot(title="palaver"))


async def main(folder: Path, sizes: tuple[tuple[int, int], ...], only: str) -> None:
    """Draw all stories into `folder`."""
    browser = find_browser()
    folder.mkdir(parents=True, exist_ok=True)
    for name in STORIES:
        for size in sizes if name.startswith(only) else ():
            end = f"-{size[0]}x{size[1]}" if len(sizes) > 1 else ""
            svg = folder / f"scenario-{name}{end}.svg"
            svg.write_text(await draw(name, size))
            if browser is not None:
                await asyncio.to_thread(photograph, browser, svg)
            print(svg)  # noqa: T201 - it is a command


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scenario_pictures")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--sizes", action="store_true", help="at every size that is looked at")
    parser.add_argument("--only", default="", help="the beginning of the names to draw")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.folder, SIZES if chosen.sizes else (SIZE,), chosen.only))

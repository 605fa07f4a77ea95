"""Keys that come together: nothing breaks, no text gets lost, and the interface goes on.

PALAVER_BURSTS says how many random bursts are tried. A burst that failed is kept in `KNOWN`.
"""

import os
from pathlib import Path
from random import Random

import pytest

from tui.bursts import Watcher, a_burst, a_mark, check, feed, quiet
from tui.replay import ReplayClient
from tui.scenes import SCENES
from tui.screen import Client, make_app, screen_text, settled

BURSTS = int(os.environ.get("PALAVER_BURSTS", "135"))
IN_ONE_LIFE = 15  # bursts for one client: the states that they lead to are tried, too
SEED = int(os.environ.get("PALAVER_SEED", "1"))
# Bursts that ended the client, or lost what was typed.
KNOWN = [
    ("queued", ["ctrl+p", "help", "enter", "enter"]),
    ("queued", ["f3", "enter", "enter"]),
    ("queued", ["ctrl+l", "r", "enter", "enter"]),
    ("queued", ["f1", "q", "q"]),
    ("queued", ["f1", "escape", "escape"]),
    ("queued", ["ctrl+p", "escape", "escape", "escape"]),
]


async def live(tmp_path: Path, scene: str, bursts) -> None:
    """Let one client live through `bursts`, of pieces and marks, and check it after each."""
    prepare, chat_id, words = SCENES[scene]
    daemon, watcher = ReplayClient(), Watcher()
    prepare(daemon)
    app, clock = make_app(daemon, tmp_path, chat_id)
    lived = []
    async with app.run_test(size=(100, 30), notifications=True, message_hook=watcher) as pilot:
        me = Client(app, daemon, pilot, clock)
        await settled(app, lambda: words in screen_text(app) and app.session.models)
        try:
            for burst, marks in bursts:
                lived.append(burst)
                feed(me, burst)
                await quiet(me)
                if app._exit:
                    break  # the palette knows how to leave
                await check(me, watcher, marks)
                clock.advance(3)
        except BaseException as error:
            error.add_note(f"after {lived}")
            raise


@pytest.mark.parametrize(("scene", "burst"), KNOWN, ids=[" ".join(keys) for _, keys in KNOWN])
async def test_what_once_ended_the_client_does_not(tmp_path, scene, burst):
    await live(tmp_path, scene, [(burst, [])])


def a_life(number: int):
    """Yield bursts with their marks."""
    random = Random(f"{SEED} {number}")
    for burst_number in range(IN_ONE_LIFE):
        mark = a_mark(number * IN_ONE_LIFE + burst_number + 50)
        burst = a_burst(random, mark)
        yield burst, [mark] if mark in burst else []


@pytest.mark.parametrize("number", range(max(1, BURSTS // IN_ONE_LIFE)))
async def test_no_burst_of_keys_breaks_or_loses_anything(tmp_path, number):
    scene = list(SCENES)[number % len(SCENES)]
    await live(tmp_path, scene, a_life(number))

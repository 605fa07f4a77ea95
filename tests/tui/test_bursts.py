"""Bursts of keys: no error, no lost text, and the client still works.

PALAVER_BURSTS is the number of random bursts. Bursts that failed once are in `KNOWN`.
"""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from tui.bursts import (
    DIALOGS,
    NAMED,
    OPENINGS,
    SENT,
    Watcher,
    a_burst,
    a_mark,
    check,
    close_all,
    feed,
    quiet,
)
from tui.replay import ReplayClient
from tui.scenes import SCENES
from tui.screen import Client, make_app

BURSTS = int(os.environ.get("PALAVER_BURSTS", "80"))
IN_ONE_LIFE = 10  # bursts for one client, so that the states that they lead to are tested, too
STATES = [*SCENES, "error"]
SIZES = ((100, 30), (80, 24), (60, 20), (120, 40))
SEED = int(os.environ.get("PALAVER_SEED", "1"))
# Bursts that once ended the client or lost text.
KNOWN = [
    ("queued", ["ctrl+p", "help", "enter", "enter"]),
    ("queued", ["f3", "enter", "enter"]),
    ("queued", ["ctrl+l", "r", "enter", "enter"]),
    ("queued", ["f1", "q", "q"]),
    ("queued", ["f1", "escape", "escape"]),
    ("queued", ["ctrl+p", "escape", "escape", "escape"]),
]


async def live(
    tmp_path: Path,
    scene: str,
    bursts: Iterable[tuple[list[str], list[str]]],
    size: tuple[int, int] = SIZES[0],
) -> None:
    """Send `bursts`, pairs of pieces and marks, to one client, and check it after each."""
    async with life(tmp_path, scene, size) as (me, watcher):
        lived = []
        try:
            for burst, marks in bursts:
                lived.append(burst)
                feed(me, burst)
                await quiet(me)
                if me.app._exit:
                    break  # an action of the palette has left the client
                await check(me, watcher, marks)
                me.clock.advance(3)
        except BaseException as error:
            error.add_note(f"after {lived}")
            raise


@asynccontextmanager
async def life(
    tmp_path: Path, scene: str, size: tuple[int, int] = SIZES[0]
) -> AsyncIterator[tuple[Client, Watcher]]:
    """Yield a client in the state `scene`, and the watcher of its fields."""
    prepare, chat_id, words = SCENES.get(scene, SCENES["finished"])
    daemon, watcher = ReplayClient(), Watcher()
    prepare(daemon)
    app, clock = make_app(daemon, tmp_path, chat_id)
    async with app.run_test(size=size, notifications=True, message_hook=watcher) as pilot:
        me = Client(app, daemon, pilot, clock)
        await me.shows(words)
        await me.until(lambda: app.session.models or daemon.absent)
        if scene == "error":
            kind = app.context.errors.log.note(ValueError())
            assert kind is not None
            app.context.errors.say(kind)
        yield me, watcher


@pytest.mark.parametrize(("scene", "burst"), KNOWN, ids=[" ".join(keys) for _, keys in KNOWN])
async def test_what_once_ended_the_client_does_not(
    tmp_path: Path, scene: str, burst: list[str]
) -> None:
    await live(tmp_path, scene, [(burst, [])])


def a_life(number: int) -> Iterator[tuple[list[str], list[str]]]:
    """Yield random bursts with their marks."""
    random = Random(f"{SEED} {number}")
    for burst_number in range(IN_ONE_LIFE):
        mark = a_mark(number * IN_ONE_LIFE + burst_number + 50)
        burst = a_burst(random, mark)
        yield burst, [mark] if mark in burst else []


@pytest.mark.parametrize("number", range(max(1, BURSTS // IN_ONE_LIFE)))
async def test_no_burst_of_keys_breaks_or_loses_anything(tmp_path: Path, number: int) -> None:
    scene = STATES[number % len(STATES)]
    size = SIZES[(number + number // len(STATES)) % len(SIZES)]
    await live(tmp_path, scene, a_life(number), size)


@pytest.mark.parametrize("name", OPENINGS)
async def test_all_that_opens_is_opened_by_a_burst_and_closed_by_escape(
    tmp_path: Path, name: str
) -> None:
    opening = OPENINGS[name]
    async with life(tmp_path, opening.scene) as (me, watcher):
        assert opening.shows not in me.text()
        feed(me, opening.pieces)
        await me.shows(opening.shows)
        await check(me, watcher, [])


@pytest.mark.parametrize("name", DIALOGS)
async def test_two_keys_that_would_close_a_dialog_close_it_once(tmp_path: Path, name: str) -> None:
    opening = DIALOGS[name]
    async with life(tmp_path, opening.scene) as (me, watcher):
        for key in ("escape", "q", "n", "f1", "ctrl+p", "enter", "y"):
            before = len(me.daemon.asked)
            feed(me, [*opening.pieces, key, key])
            await quiet(me)
            await close_all(me)
            asked = me.daemon.asked[before:]
            assert len(asked) == len(set(asked)), key
        await check(me, watcher, [])


def test_every_key_is_sent_as_a_terminal_sends_it() -> None:
    assert [key for key in NAMED if len(key) > 1 and key not in SENT] == []

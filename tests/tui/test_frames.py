"""Requests are merged into few paints, none is lost, and only CPU time is followed by a rest."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest

from palaver_tui.screen import frames
from palaver_tui.screen.frames import FrameScheduler
from palaver_tui.timing import FRAMES_PER_SECOND, REST_AFTER_FRAME
from tui.screen import client


class Machine:
    """An application that runs callbacks when the test wants it, and two clocks."""

    is_running = True

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.worked = 0.0
        self.waits: list[float] = []
        self._next: list[Callable[[], None]] = []
        monkeypatch.setattr(frames, "get_running_loop", lambda: self)
        monkeypatch.setattr(frames, "perf_counter", lambda: self.now)
        monkeypatch.setattr(frames, "thread_time", lambda: self.worked)

    def call_next(self, work: Callable[[], None]) -> None:
        self.call_later(0.0, work)

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        self.waits.append(seconds)
        self._next.append(work)

    def go_on(self) -> None:
        self.now += self.waits[-1]
        self._next.pop()()


def after_a_paint(monkeypatch: pytest.MonkeyPatch, *, took: float, worked: float) -> float:
    """Return the delay of a request after a paint with this elapsed and CPU time."""
    machine = Machine(monkeypatch)

    def paint() -> None:
        machine.now += took
        machine.worked += worked

    painter = FrameScheduler(machine, paint)  # type: ignore[arg-type]
    painter.request()
    painter.request()
    assert machine.waits == [0.0]
    machine.go_on()
    painter.request()
    return machine.waits[-1]


def test_the_next_paint_comes_with_the_next_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = after_a_paint(monkeypatch, took=0.004, worked=0.004)
    assert wait == pytest.approx(1 / FRAMES_PER_SECOND - 0.004)


def test_a_paint_that_was_much_work_is_followed_by_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = after_a_paint(monkeypatch, took=0.2, worked=0.2)
    assert wait == pytest.approx(0.2 * REST_AFTER_FRAME)


def test_a_machine_that_stood_still_in_a_paint_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert after_a_paint(monkeypatch, took=60.0, worked=0.004) == 0.0


async def test_no_paint_is_lost_however_short_its_wait(tmp_path: Path) -> None:
    async with client(tmp_path) as me:
        painter = me.app._frames
        for number in range(100):
            painted = painter.painted
            painter._next = perf_counter() + number * 1e-7
            painter.request()
            await me.until(partial(lambda painted: painter.painted > painted, painted))

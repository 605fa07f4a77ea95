"""Subscribers of live output: in step or at their own pace, each gets all of it once."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from random import Random
from unittest.mock import patch

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from palaver.wire.events import MessagePartEvent
from palaverd.metrics import ADDED_S, Spread
from palaverd.stream import episode as subject
from palaverd.stream.episode import Cursor, Episode
from palaverd.stream.live import Live, Push, Turn
from support.clock import ManualClock

FRAME_LIMIT = 1 << 20
RECENT = 4  # entries, so that text is merged often
_decode = msgspec.json.Decoder(list[MessagePartEvent]).decode


class Reader:
    """A subscriber, as its loop in the daemon does it; `takes` is whether its socket has room."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.cursor = Cursor()
        self.cursor.episode = "1.1"
        self.push: Push | None = self._push
        self.takes = True
        self.woken = False
        self.pushed: list[bytes] = []
        self.shown: dict[int, str] = {}
        self._waiting = ExitStack()

    def _push(self, frame: bytes, now: float) -> bool:
        if self.takes:
            self.pushed.append(frame)
            self._show(frame)
        return self.takes

    def _show(self, frame: bytes) -> None:
        for event in _decode(frame):
            text = self.shown.setdefault(event.block, "")
            assert event.offset == len(text)
            self.shown[event.block] = text + event.delta

    def wake(self) -> None:
        self.woken = True

    def wait(self) -> None:
        """Read what is new, and wait."""
        self.stop()
        assert self.live.episode is not None
        empty = 0
        while empty < 2:  # the first empty read may only have ended the merged text
            events = self.live.episode.read(self.cursor, FRAME_LIMIT)
            self._show(b"[%s]" % b",".join(events))
            empty = 0 if events else empty + 1
        self._waiting.enter_context(self.live.waits(self))

    def stop(self) -> None:
        self.woken = False
        self._waiting.close()


def opened(readers: int) -> tuple[Live, Episode, list[Reader]]:
    live = Live(ManualClock(), Spread(ADDED_S), Turn())
    episode = Episode("1.1")
    live.show(episode)
    episode.open_block("text")
    return live, episode, [Reader(live) for _ in range(readers)]


async def turn() -> None:
    await asyncio.sleep(0)


@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_every_reader_gets_all_of_it_once_whatever_it_takes_and_whenever_it_waits(
    random: Random, steps: int
) -> None:
    async def run() -> None:
        live, episode, readers = opened(4)
        for _ in range(steps):
            for _ in range(random.choice([0, 1, 3, 3 * RECENT])):
                if random.random() < 0.1:
                    episode.open_block("text")
                episode.append(random.randrange(len(episode.blocks)), random.choice(["a", "βγ"]))
                live.wake()
            one = random.choice(readers)
            match random.randrange(4):
                case 0:
                    one.wait()
                case 1:
                    one.stop()
                case 2:
                    one.takes = not one.takes
                case _:
                    await turn()
        await turn()
        texts = {n: block.text for n, block in enumerate(episode.blocks) if block.length}
        for one in readers:
            one.takes = True
            one.wait()
            assert {n: text for n, text in one.shown.items() if text} == texts
            one.stop()

    with patch.object(subject, "RECENT_ENTRIES", RECENT):
        asyncio.run(run())


async def test_those_that_have_everything_get_the_same_bytes_and_none_is_woken() -> None:
    live, episode, readers = opened(3)
    for one in readers:
        one.wait()
    for delta in ("one ", "two "):
        episode.append(0, delta)
        live.wake()
    await turn()
    frames = [one.pushed for one in readers]
    assert [len(each) for each in frames] == [1, 1, 1]
    assert frames[0][0] is frames[1][0] is frames[2][0]
    assert not any(one.woken for one in readers)


async def test_who_joins_within_a_turn_gets_none_of_it_twice() -> None:
    live, episode, (first, second) = opened(2)
    first.wait()
    episode.append(0, "said ")
    live.wake()
    second.wait()
    episode.append(0, "before")
    await turn()
    assert first.shown == second.shown == {0: "said before"}


async def test_whose_socket_is_full_is_woken_at_its_place_and_the_others_go_on() -> None:
    live, episode, (slow, quick) = opened(2)
    for one in (slow, quick):
        one.wait()
    slow.takes = False
    for delta in ("one ", "two "):
        episode.append(0, delta)
        live.wake()
        await turn()
    assert (slow.woken, quick.woken) == (True, False)
    assert (slow.shown, quick.shown) == ({}, {0: "one two "})
    slow.wait()
    assert slow.shown == quick.shown


async def test_a_new_episode_ends_every_wait() -> None:
    live, episode, readers = opened(2)
    readers[1].takes = False
    for one in readers:
        one.wait()
    episode.append(0, "of the first")
    live.wake()
    live.show(Episode("1.2"))
    await turn()
    assert all(one.woken and one.pushed == [] for one in readers)


async def test_a_chat_that_cannot_be_told_keeps_no_other_from_it() -> None:
    turn_, told, errors = Turn(), list[str](), list[object]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))

    def broken() -> None:
        raise ValueError

    turn_.add(broken)
    turn_.add(lambda: told.append("first"))
    await turn()
    turn_.add(lambda: told.append("second"))
    await turn()
    assert told == ["first", "second"]
    assert [type(error) for error in errors] == [ValueError]

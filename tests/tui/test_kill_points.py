"""A client that is killed at any change of its files loses no words, and says none twice."""

import os
import shutil
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from palaver_tui.storage import owned_files
from palaver_tui.storage.local_store import Draft, LocalStore
from tui.replay import ENDPOINT, problem
from tui.screen import Client, client
from tui.test_refused_edits import with_queue

WORDS = "a long question"
HERE = str(ENDPOINT)


class State(NamedTuple):
    """A copy of the files as they were at a moment, and how many messages the daemon had."""

    folder: Path
    arrived: int

    def left(self) -> tuple[list[str], list[str]]:
        """Return the messages and the drafts that the next client finds."""
        store = LocalStore(self.folder)
        messages = [one.content for one in store.claim_unsent(lambda _: True)]
        drafts = [one.text for chat in ("b", "new") for one in store.claim_drafts(chat)]
        return messages, drafts


class Recorder:
    """Copies the data directory before and after each change of a file, and in the middle."""

    def __init__(self, folder: Path, copies: Path, patch: pytest.MonkeyPatch) -> None:
        self.states: list[State] = []
        self.arrived: Callable[[], int] = lambda: 0
        self._folder, self._copies = folder, copies
        self._is_over = False
        self._lock, self._number = threading.RLock(), 0
        for of, name in (
            (owned_files, "_write_all"),
            (Path, "replace"),
            (Path, "unlink"),
            (os, "fsync"),
        ):
            patch.setattr(of, name, self._watched(getattr(of, name)))

    def _watched(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **more: Any) -> Any:
            if self._is_over:
                return change(*arguments, **more)
            with self._lock:
                self._copy()
                if change.__name__ == "_write_all":
                    file, content = arguments
                    change(file, content[: len(content) // 2])
                    self._copy()
                    arguments = file, content[len(content) // 2 :]
                result = change(*arguments, **more)
                self._copy()
                return result

        return watched

    def begin(self) -> None:
        """Copy from now on, and forget what was copied before."""
        self._is_over = False
        self.states.clear()

    def end(self) -> None:
        """Copy nothing more: what reads the copies changes files, too."""
        self._is_over = True

    def _copy(self) -> None:
        if self._folder.exists():
            self._number += 1
            to = self._copies / str(self._number)
            shutil.copytree(self._folder, to)
            self.states.append(State(to, self.arrived()))


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(tmp_path / "data", tmp_path / "copies", monkeypatch)


async def saved(me: Client) -> None:
    assert await me.app.context.drafts.stored.are_saved()


async def write(me: Client) -> None:
    await me.write(WORDS)
    await saved(me)


async def send(me: Client) -> None:
    await write(me)
    await me.press("enter")


async def send_and_wait(me: Client) -> None:
    me.daemon.down = True
    await send(me)
    await me.shows("waiting for the connection")


async def take_back(me: Client) -> None:
    await send_and_wait(me)
    await me.press("up")
    assert me.composer.text == WORDS


async def take_back_what_was_refused(me: Client) -> None:
    me.daemon.refusal = problem("Too long.", 422)
    await send(me)
    await me.shows("Too long.")
    await me.press("up")
    assert me.composer.text == WORDS


async def take_back_and_send_again(me: Client) -> None:
    await take_back(me)
    me.clock.advance(2)
    me.app.perform("composer.send")
    await me.until(lambda: me.view.outgoing)


async def take_back_and_send_again_later(me: Client) -> None:
    await take_back(me)
    await saved(me)
    me.clock.advance(2)
    me.app.perform("composer.send")
    await me.until(lambda: me.view.outgoing)


async def be_refused_in_a_new_chat_that_was_left(me: Client) -> None:
    me.app.perform("chat.new")
    me.daemon.refusal = problem("Too long.", 422)
    await send(me)
    await me.shows("Too long.")
    me.app.session.open("b")
    await saved(me)


async def lose_the_chat(me: Client) -> None:
    await send_and_wait(me)
    me.app.session.drop("b", "Another")
    await saved(me)


@pytest.mark.parametrize(
    "do",
    [
        write,
        send,
        send_and_wait,
        take_back,
        take_back_what_was_refused,
        take_back_and_send_again,
        take_back_and_send_again_later,
        be_refused_in_a_new_chat_that_was_left,
        lose_the_chat,
    ],
)
async def test_a_kill_at_any_point_leaves_what_was_written_exactly_once(
    tmp_path: Path, recorder: Recorder, do: Callable[[Client], Awaitable[None]]
) -> None:
    daemon = with_queue()
    recorder.arrived = lambda: len(daemon.sent)
    async with client(tmp_path / "data", daemon=daemon, chat_id="b") as me:
        await me.rests()
        await do(me)
        await me.until(lambda: not me.view.outgoing or not daemon.sent)
        await saved(me)
    _check(recorder)


async def test_a_kill_while_drafts_are_adopted_leaves_each_exactly_once(
    tmp_path: Path, recorder: Recorder
) -> None:
    for _ in range(2):
        LocalStore(tmp_path / "data").keep_draft(Draft("b", WORDS, HERE))
        recorder.begin()
        async with client(tmp_path / "data", daemon=with_queue(), chat_id="b") as me:
            await me.until(lambda: WORDS in me.composer.text)
            await saved(me)
        _check(recorder)


def _check(recorder: Recorder) -> None:
    recorder.end()
    begun = False
    for number, state in enumerate(recorder.states):
        messages, drafts = state.left()
        found = [*messages, *drafts]
        times = "\n\n".join(found).count(WORDS)
        begun = begun or times > 0
        where = f"at {number} of {len(recorder.states)}: {messages=}, {drafts=}, {state=}"
        assert times <= 1, f"twice {where}"
        assert times == 1 or state.arrived or not begun, f"lost {where}"
        assert not state.arrived or not drafts, f"sent, and still a draft {where}"
    assert begun
    assert len(recorder.states) > 5

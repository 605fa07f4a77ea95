"""The client with the real daemon and the simulator; nothing between them is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from palaver.client import Client as ApiClient
from palaver.client import Endpoint
from palaver.clock import SystemClock
from palaver.wire.chats import Chat, CreateChat, SendMessage
from palaver.wire.messages import Text
from palaver.workspaces import NO_WORKSPACE, WantedWorkspace
from palaver_tui.actions.edits import begin_rewriting
from palaver_tui.app import PalaverApp
from palaver_tui.state.reduce import user_text
from palaver_tui.storage.local_store import LocalStore, Unsent
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from support.daemon import make_daemon, running_daemon, running_pair, short_dir, simulator_config
from tui.replay import T0
from tui.screen import BOUND_S, POLL_S, Client, settled

START_S = 20  # timeout for a second client to start beside one that draws, on a busy machine


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Capture the daemon's log: in this process its standard output is the screen's."""
    with capture_logs():
        yield


@asynccontextmanager
async def at(
    socket: Path | None,
    tmp_path: Path,
    chat_id: str | None = None,
    workspace: WantedWorkspace = NO_WORKSPACE,
) -> AsyncIterator[Client]:
    async def connect() -> Endpoint:
        return Endpoint(socket=socket)

    app = PalaverApp(
        connect,
        data_dir=tmp_path,
        chat_id=chat_id,
        random=Random(3),
        motion=False,
        workspace=workspace,
    )
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        me = Client(app, None, pilot, SystemClock())
        await settled(app, lambda: app.session.models and app.session.chats.loaded, START_S)
        yield me


async def ask(me: Client, text: str, key: str = "enter") -> None:
    me.composer.insert(text)
    me.tap(key)
    await me.until(lambda: not me.composer.text)


def answers(me: Client) -> list[str]:
    return [
        "".join(part.text for part in message.parts if isinstance(part, Text))
        for message in me.view.messages
        if message.role == "assistant"
    ]


async def test_a_question_is_answered_and_the_chat_is_in_the_list(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path) as me,
    ):
        await ask(me, "[[echo]] **Hello** from the other side")
        await me.shows("you ·", "sonnet ·", "Hello from the other side")
        await me.until(lambda: me.view.status == "waiting" and me.view.live is None)
        assert answers(me) == ["**Hello** from the other side"]
        assert [chat.id for chat in me.app.session.chats.chats.values()] == [me.view.chat_id]
        assert me.view.outgoing == ()


async def test_a_new_chat_works_in_the_directory_that_was_named(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, other, _simulator),
        at(daemon.socket, tmp_path, workspace=WantedWorkspace(str(tmp_path), named=True)) as me,
    ):
        await ask(me, "[[echo]] first")
        await me.until(lambda: me.view.status == "waiting" and answers(me) == ["first"])
        assert me.view.chat_id is not None
        chat = await other.chat(me.view.chat_id)
        assert chat.workspace is not None
        assert chat.workspace.path == str(tmp_path)


async def test_a_model_is_shown_as_chosen_when_the_daemon_has_taken_it(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path) as me,
    ):
        await ask(me, "[[echo]] first")
        await me.until(lambda: me.view.status == "waiting" and answers(me) == ["first"])
        me.app.session.choose_model(me.app.session.current, "nobody")
        await me.shows("nobody")  # the refusal names it
        assert me.app.context.painter.model_name() == "sonnet"
        me.app.perform("model.choose")
        await me.shows("Who answers")
        await me.press("down", "enter")
        await me.shows("small answers from now on.")
        await me.until(lambda: me.view.model == "small")
        await ask(me, "[[echo]] second")
        await me.until(lambda: me.view.status == "waiting" and answers(me) == ["first", "second"])
        assert me.view.messages[-1].model == "small"


async def test_another_client_on_the_same_chat_sees_the_same(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path / "one") as one,
    ):
        await ask(one, "[[length=60]] [[rate=40]] a long answer, please")
        await one.until(lambda: one.view.chat_id and one.view.live and one.view.live.blocks)
        async with at(daemon.socket, tmp_path / "two", one.view.chat_id) as two:
            await two.until(lambda: two.view.status == "waiting" and two.view.attached)
            await one.until(lambda: one.view.status == "waiting" and one.view.live is None)
            assert two.view.messages == one.view.messages


async def test_a_second_message_waits_in_the_queue_and_is_answered_after_the_first(
    tmp_path: Path,
) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path) as me,
    ):
        await ask(me, "[[length=60]] [[rate=40]] first")
        await me.until(lambda: me.view.live and me.view.live.blocks)
        await ask(me, "[[echo]] second answer")
        await me.shows("Queue · 1")
        await me.until(lambda: len(answers(me)) == 2 and me.view.status == "waiting")
        assert answers(me)[1] == "second answer"
        assert [message.role for message in me.view.messages] == ["user", "assistant"] * 2


async def test_escape_keeps_exactly_what_was_shown_holds_the_queue_and_enter_releases_it(
    tmp_path: Path,
) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path) as me,
    ):
        await ask(me, "[[length=2000]] [[rate=40]] first")
        await me.until(lambda: me.view.live and me.view.live.blocks)
        await ask(me, "[[echo]] second answer")
        await me.until(lambda: len(me.view.queue) == 1)
        shown = str(me.live.blocks[0].text)
        me.tap("escape")
        await me.shows("Queue · 1 · held", "stopped here")
        assert me.view.messages[-1].finish == "interrupted"
        assert answers(me)[0].startswith(shown)
        me.tap("enter")
        await me.until(lambda: len(answers(me)) == 2 and me.view.status == "waiting")
        assert answers(me)[1] == "second answer"


async def test_a_queue_is_reordered_and_edited_in_place_and_what_is_removed_comes_back(
    tmp_path: Path,
) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path) as me,
    ):
        await ask(me, "[[length=2000]] [[rate=40]] first")
        await me.until(lambda: me.view.live and me.view.live.blocks)
        for text in ("one", "two"):
            await ask(me, text)
            await me.until(
                partial(lambda text: text in [item.content for item in me.view.queue], text)
            )
        await me.shows("2  two")  # drawn as queued: keys cannot select one that is being sent
        await me.tap_queue()
        me.tap("down", "K")
        await me.until(lambda: [item.content for item in me.view.queue] == ["two", "one"])
        me.tap("e")
        await me.until(lambda: me.composer.text == "two" and me.composer.has_focus)
        me.tap("!", "enter")
        await me.until(lambda: [item.content for item in me.view.queue] == ["two!", "one"])
        await me.shows("two!")
        await me.tap_queue()
        me.tap("d")
        await me.until(lambda: [item.content for item in me.view.queue] == ["one"])
        await me.shows("Removed “two!”")
        me.tap("ctrl+z")
        await me.until(lambda: [item.content for item in me.view.queue] == ["two!", "one"])
        me.tap("down", "e")  # the queue still has the focus
        await me.until(lambda: me.composer.text == "one" and me.composer.has_focus)
        me.tap("?", "ctrl+s")  # put back, and answered next
        await me.until(lambda: "one?" in [user_text(message) for message in me.view.messages])
        assert [item.content for item in me.view.queue] == ["two!"]


async def test_a_retry_says_what_happened_and_is_skipped_by_a_key(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path) as me,
    ):
        await ask(me, "[[529 times=1 retry-after=300]] [[echo]] at last")
        await me.shows("Retrying in", "attempt 2 of", "529", "overloaded")
        me.tap("ctrl+g")  # Enter would be ignored so soon after the Enter that sent the message
        await me.until(lambda: me.view.status == "waiting" and len(answers(me)) == 1)
        await me.hides("Retrying in")


async def test_a_key_that_is_not_accepted_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path) as me,
    ):
        await ask(me, "[[401]] hello")
        await me.shows("The key was not accepted", "401", "try again")
        assert "Traceback" not in me.text()


async def test_a_daemon_that_comes_back_gets_what_was_written_meanwhile_once(
    tmp_path: Path,
) -> None:
    async with short_dir() as data_dir, Simulator(rate=400) as simulator:
        config = simulator_config(simulator.url)
        first = make_daemon(data_dir, config)
        await first.start()
        stopped = False
        try:
            async with at(first.socket, tmp_path) as me:
                await ask(me, "[[echo]] before")
                await me.until(lambda: me.view.status == "waiting" and len(answers(me)) == 1)
                await first.stop()
                stopped = True
                await me.until(lambda: me.app.session.connection.phase == "reconnecting")
                await ask(me, "[[echo]] meanwhile")
                await me.shows("waiting for the connection", "before")
                async with running_daemon(data_dir, config):
                    await me.until(lambda: len(answers(me)) == 2)
                    assert answers(me) == ["before", "meanwhile"]
                    assert len(me.view.messages) == 4
        finally:
            if not stopped:
                await first.stop()


class Line:
    """A connection to a daemon that tests can cut and mend."""

    def __init__(self, path: Path, to: Path) -> None:
        self.path, self._to = path, to
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    def to_daemon(cls, daemon: Daemon) -> Line:
        assert daemon.socket is not None
        return cls(daemon.socket.parent / "line.sock", daemon.socket)

    async def __aenter__(self) -> Line:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_unix_server(self._carry, self.path)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        self.path.unlink(missing_ok=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.CancelledError):
            behind = await asyncio.open_unix_connection(self._to)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pump(reader, behind[1]))
                    both.create_task(self._pump(behind[0], writer))
            finally:
                behind[1].close()
                writer.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.close()


async def test_two_who_say_the_same_one_of_them_offline_find_each_message_once(
    tmp_path: Path,
) -> None:
    words = "[[echo]] continue"
    async with (
        running_pair(rate=400) as (daemon, other, _simulator),
        Line.to_daemon(daemon) as line,
        at(line.path, tmp_path) as me,
    ):
        await ask(me, words)
        await me.until(lambda: me.view.status == "waiting" and len(answers(me)) == 1)
        chat_id, outbox = me.chat_id, tmp_path / "client" / "outbox"
        await line.cut()
        await me.until(lambda: me.app.session.connection.phase == "reconnecting")
        await ask(me, words)
        [mine] = me.view.outgoing
        # Meanwhile another client sends the same twice, and is answered.
        for key in ("theirs 1", "theirs 2"):
            await other.send(chat_id, SendMessage(words), key=key)
            async with asyncio.timeout(START_S):
                while (await other.chat(chat_id)).status != "waiting":
                    await asyncio.sleep(0.01)
        assert [item.key for item in me.view.outgoing] == [mine.key]
        assert [path.stem for path in outbox.iterdir()] == [mine.key]
        await line.mend()
        await me.until(lambda: len(answers(me)) == 4 and me.view.status == "waiting")
        asked = [message.key for message in me.view.messages if message.role == "user"]
        assert asked[1:] == ["theirs 1", "theirs 2", mine.key]
        assert (me.view.outgoing, me.view.queue) == ((), ())
        page = (await other.messages(chat_id)).messages[::-1]
        assert [m.key for m in page if m.role == "user"] == asked
        await me.until(lambda: not list(outbox.iterdir()))


async def test_a_message_that_got_there_with_an_earlier_client_is_not_kept_on_disk(
    tmp_path: Path,
) -> None:
    """The response was lost with that client; the stream or the repeated request shows it."""
    async with running_pair(rate=400) as (daemon, other, _simulator):
        chat_id = (await other.create_chat(CreateChat("[[echo]] first"), key="its key")).chat.id
        kept = Unsent("its key", "[[echo]] first", T0, chat_id)
        await asyncio.to_thread(LocalStore(tmp_path).keep, kept)
        outbox = tmp_path / "client" / "outbox"
        async with at(daemon.socket, tmp_path, chat_id) as me:
            await me.until(lambda: me.view.status == "waiting" and answers(me) == ["first"])
            await me.until(lambda: not list(outbox.iterdir()))
            assert (len(me.view.messages), me.view.outgoing) == (2, ())


async def test_a_failed_turn_stays_marked_after_the_next_one_and_for_who_comes_later(
    tmp_path: Path,
) -> None:
    mark = "✗ failed · "
    async with running_pair(rate=400) as (daemon, _other, _simulator):
        async with at(daemon.socket, tmp_path) as me:
            await ask(me, "[[401]] hello")
            await me.shows(mark, "did not accept the API key", "401")
            await ask(me, "[[echo]] Now it works")
            await me.shows(mark, "sonnet ·", "Now it works")
            await me.until(lambda: me.view.status == "waiting")
            chat_id, shown = me.view.chat_id, me.text()
        async with at(daemon.socket, tmp_path, chat_id) as later:
            await later.shows(mark, "did not accept the API key", "Now it works")
    lines = [line for line in shown.splitlines() if mark in line]
    assert len(lines) == 1


async def test_a_draft_outlives_a_chat_that_was_deleted_while_no_client_ran(tmp_path: Path) -> None:
    async with running_pair(rate=400) as (daemon, _other, _simulator):
        async with at(daemon.socket, tmp_path / "one") as one:
            await ask(one, "[[echo]] first")
            await one.until(lambda: answers(one) == ["first"] and one.view.status == "waiting")
            chat_id = one.chat_id
            one.composer.insert("half a thought")
            await one.until(lambda: one.app.context.drafts.stored.get(chat_id))
        async with at(daemon.socket, tmp_path / "two", chat_id) as two:
            await two.until(lambda: two.view.attached)
            two.app.perform("chat.delete")
            await two.shows("Delete this chat?")
            two.tap("y")
            await two.until(lambda: chat_id not in two.app.session.chats.chats)
        async with at(daemon.socket, tmp_path / "one") as again:
            await again.shows("A chat that you were writing to was deleted.", "half a thought")
            assert again.composer.text == "half a thought"


async def test_two_clients_agree_on_what_becomes_of_a_chat(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, _other, _simulator),
        at(daemon.socket, tmp_path / "one") as one,
    ):
        for said in (["first"], ["first", "second"]):
            await ask(one, f"[[echo]] {said[-1]}")
            await one.until(
                partial(lambda said: answers(one) == said and one.view.status == "waiting", said)
            )
        chat_id = one.view.chat_id
        async with at(daemon.socket, tmp_path / "two", chat_id) as two:
            await two.until(lambda: len(two.view.messages) == 4)
            begin_rewriting(one.app.context, one.view.messages[0])
            one.app.paint()  # as is done after every action
            await one.shows("drops 3 messages")
            one.composer.clear()
            one.composer.insert("[[echo]] anew")
            one.tap("enter")
            await two.until(lambda: answers(two) == ["anew"] and two.view.status == "waiting")
            await one.until(lambda: one.view.messages == two.view.messages)
            one.app.perform("chat.archive")
            await two.shows("archived · ⏎ brings it back")
            two.tap("ctrl+z")
            await two.shows("There is nothing to take back.")
            one.tap("ctrl+z")
            await two.hides("archived · ⏎")
            await one.until(lambda: one.view.chat_id == chat_id)
            two.composer.insert("half a thought")
            one.tap("ctrl+l", "d")
            await one.shows("Delete this chat?")
            one.tap("y")
            await two.shows("“first” was deleted.")
            await two.until(lambda: two.app.session.is_draft)
            assert two.composer.text == "half a thought"
            for each in (one, two):
                await each.until(partial(lambda each: each.app.session.chats.chats == {}, each))


async def is_read(other: ApiClient, chat_id: str, *clients: Client) -> None:
    """Wait until a chat is idle and read in the daemon, and in the lists of `clients`."""
    async with asyncio.timeout(BOUND_S):
        while (chat := await other.chat(chat_id)).status != "waiting" or chat.unread:
            await asyncio.sleep(POLL_S)
    for me in clients:

        def same(me: Client = me, chat: Chat = chat) -> bool:
            listed = me.app.session.chats.chats[chat_id]
            return listed.updated_at == chat.updated_at and not listed.unread

        await me.until(same)


async def test_two_clients_agree_on_what_is_read_pinned_and_labelled(tmp_path: Path) -> None:
    async with (
        running_pair(rate=400) as (daemon, other, _simulator),
        at(daemon.socket, tmp_path / "one") as one,
        at(daemon.socket, tmp_path / "two") as two,
    ):
        chat_id = (await other.create_chat(CreateChat("[[echo]] news"))).chat.id
        await one.shows("● new")
        await two.shows("● new")
        one.app.session.open(chat_id)
        await two.hides("● new")
        await is_read(other, chat_id, one, two)
        # What arrives while one of them looks at it is read for both.
        await other.send(chat_id, SendMessage("[[echo]] more"))
        await is_read(other, chat_id, one, two)
        # Both look at it, and both report it: that is one change.
        two.app.session.open(chat_id)
        await two.until(lambda: answers(two) == ["news", "more"])
        await other.send(chat_id, SendMessage("[[echo]] again"))
        await is_read(other, chat_id, one, two)
        await one.until(lambda: answers(one) == ["news", "more", "again"])
        await two.until(lambda: answers(two) == ["news", "more", "again"])
        one.app.perform("chat.pin")
        await two.shows("⌃")
        one.app.session.requests.label(chat_id, {"team": "docs"})
        await two.shows("team=docs")
        two.app.perform("chat.pin")
        await one.hides("⌃")

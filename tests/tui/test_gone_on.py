"""What is decided about one chat has its effect there, also if the user is elsewhere by then."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from palaver.interface import Choice
from palaver.wire.chats import Model, Models
from palaver.wire.events import CaughtUp, ChatDeleted, ErrorEvent, MessageEvent, QueueUpdate
from palaver.wire.messages import Message, MessagePage
from palaver_tui.storage.local_store import LocalStore
from palaver_tui.timing import RESEND_AFTER_S
from tui.replay import MODELS, OVERLOADED, ReplayClient, problem, queued, status, user, versions
from tui.screen import Client, client
from tui.test_client import running, with_chat
from tui.test_edits import with_history
from tui.test_servers import FAR

TWO_MODELS = Models([*MODELS.models, Model("gpt", "openai", "gpt", context_limit=1000)])
# For each dialog about a chat: the action that opens it, its title, keys that answer it, and the
# request that follows.
DIALOGS = {
    "rename": ("chat.rename", "Title of this chat", ["Z", "enter"], ("title", "A chatZ")),
    "clear": ("chat.clear", "Let the model forget?", ["y"], ("clear", 7)),
    "model": ("model.choose", "Who answers", ["down", "enter"], ("model", "gpt")),
    "delete": ("chat.delete", "Delete this chat?", ["y"], ("archived", "a", True)),
}


def two_chats() -> ReplayClient:
    daemon = with_history()
    daemon.available_models = TWO_MODELS
    daemon.stream_of("b").tell(MessageEvent(user(1, "in the other one")))
    daemon.stream_of("forked").tell(status(title="A chat (fork)"), CaughtUp(1))
    return daemon


# --- dialogs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_a_dialog_is_about_the_chat_for_which_it_was_opened(
    tmp_path: Path, dialog: str
) -> None:
    action, title, keys, asked = DIALOGS[dialog]
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        me.app.perform(action)
        await me.shows(title)
        me.app.session.open("b")
        await me.press(*keys)
        await me.until(lambda: daemon.asked)
        assert (daemon.asked[0], daemon.about[0]) == (asked, "a")


@pytest.mark.parametrize("dialog", ["rename", "palette"])
async def test_the_answer_about_a_chat_that_was_deleted_changes_no_other(
    tmp_path: Path, dialog: str
) -> None:
    palette = ("app.palette", "Commands", [*"archive this", "enter"], ())
    action, title, keys, _ = {**DIALOGS, "palette": palette}[dialog]
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+l")  # with the list in focus, the next chat is shown after a deletion
        me.app.perform(action)
        await me.shows(title)
        daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: me.app.session.current == "b")
        await me.press(*keys)
        await me.shows("Nothing was done: that chat is gone.")
        assert daemon.asked == []


async def test_the_palette_runs_nothing_in_another_chat(tmp_path: Path) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+p", *"archive this")
        me.app.session.open("b")
        await me.press("enter")
        await me.shows("Nothing was done: another chat is shown by now.")
        assert daemon.asked == []


async def test_what_the_palette_cannot_do_any_more_is_told(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("why?", "Esc stop")
        await me.press("ctrl+p", *"stop the")
        daemon.stream_of("a").tell(status("waiting", versions=versions(10, 7, 7)))
        await me.until(lambda: me.view.status == "waiting")
        await me.press("enter")
        await me.shows("“Stop the answer” does nothing now.")
        assert daemon.interrupts == []


async def test_a_title_that_was_left_as_it_was_is_not_set_again(tmp_path: Path) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        me.app.perform("chat.rename")
        daemon.stream_of("a").tell(status(title="Renamed elsewhere", versions=versions(10, 7, 7)))
        await me.until(lambda: me.view.title == "Renamed elsewhere")
        await me.press("enter")
        await me.hides("Title of this chat")
        assert daemon.asked == []


# --- the model --------------------------------------------------------------------------------


async def test_a_model_that_is_refused_is_not_shown_as_chosen(tmp_path: Path) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        daemon.refusal = problem("No such model.")
        await me.press("f3", "down", "enter")
        await me.shows("No such model.")
        assert me.view.model == "sonnet"
        daemon.refusal = None
        await me.press("f3", "down", "enter")
        await me.shows("gpt answers from now on.")
        daemon.stream_of("a").tell(status(model="gpt", versions=versions(10, 7, 7)))
        await me.until(lambda: me.view.model == "gpt")


@pytest.mark.parametrize("answered", ["before the chat exists", "after it"])
async def test_the_model_of_a_new_chat_is_the_one_chosen_last(
    tmp_path: Path, answered: str
) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon) as me:
        await me.until(lambda: me.app.session.models)
        daemon.answers.clear()
        await me.write("hi")
        await me.press("enter", "f3")
        await me.shows("Who answers")
        if answered == "after it":
            daemon.answers.set()
            await me.until(lambda: me.app.session.current == "made")
        await me.press("down", "enter")
        daemon.answers.set()
        await me.until(lambda: daemon.asked)
        assert (daemon.asked, daemon.about) == ([("model", "gpt")], ["made"])


# --- undo -------------------------------------------------------------------------------------


async def test_an_undo_that_failed_can_be_tried_again_in_its_place(tmp_path: Path) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        undone: list[str] = []
        me.app.context.undo.offer(lambda _: undone.append("earlier"), "An earlier one.")
        me.app.perform("chat.archive")
        await me.shows("Archived “A chat”.")
        daemon.down = True
        daemon.answers.clear()
        me.app.perform("app.undo")
        me.app.context.undo.offer(lambda _: undone.append("later"), "A later one.")
        daemon.answers.set()
        await me.shows("connection refused")
        daemon.down = False
        me.app.perform("app.undo")
        assert undone == ["later"]
        me.app.perform("app.undo")
        await me.until(lambda: daemon.asked == [("archived", "a", True), ("archived", "a", False)])
        await me.until(lambda: me.app.session.current == "a")
        me.app.perform("app.undo")
        assert undone == ["later", "earlier"]


async def test_an_undo_in_a_deleted_chat_is_not_in_the_way_of_earlier_ones(tmp_path: Path) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        undone: list[str] = []
        me.app.context.undo.offer(lambda _: undone.append("earlier"), "An earlier one.")
        me.app.perform("chat.archive")
        await me.shows("Archived “A chat”.")
        daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: not me.app.session.knows("a"))
        daemon.refusal = problem("There is no chat a.", 404, "chat_not_found")
        me.app.perform("app.undo")
        await me.shows("There is no chat a.")
        me.app.perform("app.undo")
        assert undone == ["earlier"]


async def test_what_was_queued_in_a_deleted_chat_is_put_into_no_other_queue(
    tmp_path: Path,
) -> None:
    daemon = with_history("running", QueueUpdate([queued(1, "x")], held=False))
    daemon.stream_of("b").tell(status("running", "Another"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "Queue · 1")
        await me.press("ctrl+o", "d")
        await me.shows("Removed “x”")
        daemon.stream_of("a").tell(QueueUpdate([], held=False))
        await me.press("ctrl+l")
        daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: me.app.session.current == "b" and me.view.status == "running")
        me.app.perform("app.undo")
        await me.shows("Its chat is deleted")
        await me.rests()
        assert (daemon.sent, me.composer.text) == ([], "x")


# --- messages that are sent again -------------------------------------------------------------


async def test_a_message_that_is_being_sent_again_cannot_be_taken_back(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.app.session.connection.phase == "live")
        daemon.down = True
        await me.write("once")
        await me.press("enter")
        await me.shows("waiting for the connection")
        daemon.down = False
        daemon.answers.clear()
        me.clock.advance(RESEND_AFTER_S)
        await me.until(lambda: me.view.outgoing[0].state == "sending")
        await me.press("up")
        assert me.composer.text == "x"  # the message before it, not the one on its way
        daemon.answers.set()
        await me.until(lambda: daemon.sent)
        assert [request.content for _, request, _ in daemon.sent] == ["once"]


async def test_a_message_behind_the_one_that_is_sent_again_can_be_taken_back(
    tmp_path: Path,
) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.app.session.connection.phase == "live")
        daemon.down = True
        for text in ("one", "two"):
            await me.write(text)
            await me.press("enter")
        await me.until(lambda: [one.state for one in me.view.outgoing] == ["waiting"] * 2)
        daemon.down = False
        daemon.answers.clear()
        me.clock.advance(RESEND_AFTER_S)
        await me.until(lambda: me.view.outgoing[0].state == "sending")
        await me.press("up")
        assert me.composer.text == "two"
        daemon.answers.set()
        await me.until(lambda: daemon.sent and not me.view.outgoing)
        await me.rests()
        assert [request.content for _, request, _ in daemon.sent] == ["one"]


# --- late responses ---------------------------------------------------------------------------


async def type_on(me: Client) -> None:
    await me.press(*"mo")


async def open_another(me: Client) -> None:
    me.app.session.open("b")
    await me.rests()


async def open_a_dialog(me: Client) -> None:
    me.app.perform("chat.rename")
    await me.shows("Title of this chat")


async def search(me: Client) -> None:
    await me.press("ctrl+f", *"tw")


GOING_ON = [type_on, open_another, open_a_dialog, search]


@pytest.mark.parametrize("go_on", GOING_ON)
async def test_a_late_fork_does_not_take_one_away(
    tmp_path: Path, go_on: Callable[[Client], Any]
) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.rests()
        daemon.answers.clear()
        me.app.perform("transcript.fork")
        await go_on(me)
        here = me.app.context.place
        daemon.answers.set()
        await me.shows("“A chat (fork)” is made. ^l goes to the chats.")
        assert me.app.context.place == here
        assert "forked" in me.app.session.chats.chats


async def test_a_fork_from_the_palette_is_shown(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=two_chats(), chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+p", *"fork", "enter")
        await me.shows("You are in “A chat (fork)” now.")
        assert me.app.session.current == "forked"


async def test_a_chat_that_is_archived_late_is_not_left_in_the_middle_of_something(
    tmp_path: Path,
) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        daemon.answers.clear()
        me.app.perform("chat.archive")
        await type_on(me)
        daemon.answers.set()
        await me.shows("Archived “A chat”.")
        assert (me.app.session.current, me.composer.text) == ("a", "mo")


async def test_an_archived_chat_that_is_back_late_does_not_take_one_away(tmp_path: Path) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        me.app.perform("chat.archive")
        await me.shows("Archived “A chat”.")
        await open_another(me)
        daemon.answers.clear()
        me.app.perform("app.undo")
        await type_on(me)
        daemon.answers.set()
        await me.shows("“A chat” is back.")
        assert (me.app.session.current, me.composer.text) == ("b", "mo")


async def test_servers_that_are_read_late_take_no_keys_away(tmp_path: Path) -> None:
    ready, loop = asyncio.Event(), asyncio.get_running_loop()

    def slow() -> list[Choice]:
        asyncio.run_coroutine_threadsafe(ready.wait(), loop).result(30)
        return [Choice(None, here=True)]

    async with client(tmp_path, daemon=two_chats(), chat_id="a", choices=slow) as me:
        await me.shows("second", "two")
        me.app.perform("server.choose")
        await me.press(*"hello")
        ready.set()
        await me.shows("The servers can be shown now: choose a server once more.")
        assert me.composer.text == "hello"
        assert not me.app.context.dialogs.is_open


# --- a chat that is deleted while something is under way --------------------------------------


async def send(me: Client) -> None:
    await me.write("to nobody")
    await me.press("enter")


async def send_again(me: Client) -> None:
    me.daemon.down = True
    me.daemon.answers.set()
    await send(me)
    await me.until(lambda: me.view.outgoing[0].state == "waiting")
    me.daemon.down = False
    me.daemon.answers.clear()
    me.clock.advance(RESEND_AFTER_S)
    await me.until(lambda: me.view.outgoing[0].state == "sending")


async def read_older(me: Client) -> None:
    me.app.session.message_pages.older()


async def seek(me: Client) -> None:
    """Find a message, and wait for those around it."""

    def holds(_: Message) -> bool:
        me.daemon.answers.clear()
        return True

    me.daemon.answers.set()
    me.app.session.message_pages.seek_older(holds, lambda *_: None)
    await me.until(lambda: not me.daemon.answers.is_set())


async def read_stream(me: Client) -> None:
    """Have the stream deliver in the same step of the event loop in which the chat is deleted."""
    me.daemon.stream_of("a").tell(MessageEvent(user(9, "too late")))


@pytest.mark.parametrize(
    ("begin", "ends"),
    [
        *[(send, ends) for ends in ("answered", "refused", "lost")],
        *[(begin, "answered") for begin in (send_again, read_older, seek, read_stream)],
    ],
)
async def test_nothing_fails_when_its_chat_is_deleted_meanwhile(
    tmp_path: Path, begin: Callable[[Client], Any], ends: str
) -> None:
    daemon = two_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.until(lambda: me.app.session.connection.phase == "live")
        session = me.app.session
        await me.rests()
        daemon.answers.clear()
        daemon.pages = {1: MessagePage([user(0, "long ago")], more=False)}
        session.views["a"] = replace(session.view, older=True)
        await begin(me)
        if begin is read_stream:
            session.drop("a", "A chat")
        else:
            daemon.watching.tell(ChatDeleted("a"))
            await me.until(lambda: session.current != "a")
        if ends == "refused":
            daemon.refusal = problem("There is no chat a.", 404, "chat_not_found")
        daemon.down = ends == "lost"
        daemon.answers.set()
        await me.rests()
        me.clock.advance(RESEND_AFTER_S)
        await me.rests()
        assert "a" not in session.views
        if begin in {send, send_again}:
            assert me.composer.text == "to nobody"


# --- what the banner offers -------------------------------------------------------------------


async def test_what_another_chat_offers_is_not_done_before_it_is_seen(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "why?"), word="error")
    daemon.stream_of("a").tell(ErrorEvent(OVERLOADED))
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        daemon.stream_of("b").tell(
            status("running"), QueueUpdate([queued(1, "x")], held=False), CaughtUp(1)
        )
        await me.shows("Queue · 1")
        me.app.session.open("a")
        await me.shows("Anthropic is overloaded.", "try again")
        await me.press("ctrl+l")
        me.app.session.drop("a", "First chat")
        me.app.perform("banner.primary")  # before the next paint
        await me.shows("Nothing was done: something else is offered now.", "Queue · 1")
        assert (me.app.session.current, daemon.asked) == ("b", [])
        me.app.perform("banner.primary")
        await me.until(lambda: daemon.asked == [("promote", 1, 1)])


async def test_a_retry_is_of_the_chat_in_which_it_was_asked_for(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "why?"), word="error")
    daemon.stream_of("a").tell(ErrorEvent(OVERLOADED))
    daemon.stream_of("b").tell(status(versions=versions(9, 9, 9)), CaughtUp(9))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Anthropic is overloaded.", "try again")
        daemon.answers.clear()
        await me.press("enter")
        await open_another(me)
        daemon.answers.set()
        await me.until(lambda: daemon.asked)
        assert (daemon.asked, daemon.about) == ([("resume", 1, None)], ["a"])


async def test_a_server_can_be_chosen_when_the_chat_goes_meanwhile(tmp_path: Path) -> None:
    daemon = two_chats()
    servers = [Choice(None, here=True), Choice(FAR)]
    async with client(tmp_path, daemon=daemon, chat_id="a", choices=lambda: servers) as me:
        await me.shows("second", "two")
        await me.write("half a thought")
        me.app.perform("server.choose")
        await me.shows("Servers")
        daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: me.app.session.is_draft)
        await me.press(*"far", "enter")
        await me.until(lambda: not me.app.is_running)
        assert me.app.context.exit_state.server == Choice(FAR)
    assert [draft.text for draft in LocalStore(tmp_path).drafts()] == ["half a thought"]

"""Edits that are refused, interrupted by another, or whose message is gone: no text is lost."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from textual import events

from palaver.stream.progress import Progress
from palaver.wire.chats import ChatStatus
from palaver.wire.events import (
    CaughtUp,
    ChatDeleted,
    HistoryTruncated,
    MessageEvent,
    QueueUpdate,
)
from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.state.chat import ChatView
from palaver_tui.state.edited_message import is_gone, queue_place
from palaver_tui.storage.local_store import LocalStore
from palaver_tui.textual_patches.key_queue import KeyQueue
from tui.replay import ReplayClient, answer, chat, problem, queued, status, user, versions
from tui.screen import Client, client

FIRST, SECOND = queued(1, "first of the queue"), queued(2, "second of the queue")
SAID = [user(1, "first"), answer(2, "one"), user(3, "second"), answer(4, "two")]
GONE = problem("It is not in the queue any more.", 404)


def queue(*waiting: QueuedMessage, held: bool = False) -> QueueUpdate:
    placed = [msgspec.structs.replace(one, position=at) for at, one in enumerate(waiting)]
    return QueueUpdate(placed, held=held)


def with_queue(word: ChatStatus = "running", *, held: bool = False) -> ReplayClient:
    """Return a daemon with a chat `a` that has messages and a queue, and a chat `b` at rest."""
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat", word), chat("b", "Another"))
    messages = [MessageEvent(message) for message in SAID]
    seen = status(word, versions=versions(9, 7, 7))
    daemon.stream_of("a").tell(seen, *messages, queue(FIRST, SECOND, held=held), CaughtUp(9))
    daemon.stream_of("b").tell(status(title="Another"), CaughtUp(1))
    return daemon


async def open_edit(me: Client, kind: str) -> str:
    """Open an edit of a queued or of an earlier message, change it, and return the text."""
    await me.shows("Queue · 2", "second", "two")
    await me.press("ctrl+o" if kind == "queued" else "ctrl+t", "e", "end", "!")
    text = "first of the queue!" if kind == "queued" else "second!"
    assert me.composer.text == text
    return text


KINDS = pytest.mark.parametrize("kind", ["queued", "earlier"])


# --- refused, or without an answer --------------------------------------------------------


@KINDS
async def test_a_refused_edit_is_open_again_over_the_draft_that_was_there(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        text = await open_edit(me, kind)
        me.daemon.down = True
        await me.press("enter")
        await me.shows("connection refused", "leave it as it was")
        assert me.composer.text == text
        me.daemon.down = False
        me.clock.advance(2)
        await me.press("enter")  # the same edit, not a new message
        await me.until(lambda: me.daemon.asked)
        assert (me.daemon.asked[0][0], me.daemon.sent) == (
            "edit" if kind == "queued" else "anew",
            [],
        )
        assert me.composer.text == "a draft"


@KINDS
async def test_a_refused_edit_is_kept_after_the_words_that_were_written_meanwhile(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, kind)
        me.daemon.answers.clear()
        await me.press("enter")
        await me.write("next words")
        me.daemon.refusal = GONE
        me.daemon.answers.set()
        await me.shows("It is not in the queue any more.", "kept with your draft")
        assert me.composer.text == f"next words\n\n{text}"
        await me.press("X")  # the cursor is where it was
        assert me.composer.text == f"next wordsX\n\n{text}"


@pytest.mark.parametrize("keys", [("ctrl+f", "t", "w"), ("ctrl+l", "slash", "A", "n")])
async def test_an_edit_that_is_refused_late_takes_no_keys_from_another_part(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, "earlier")
        me.daemon.answers.clear()
        await me.press("enter")
        me.clock.advance(3)
        await me.press(*keys)
        me.daemon.down = True
        me.daemon.answers.set()
        await me.shows("connection refused", "kept with your draft")
        me.daemon.down = False
        await me.press("o", "enter")  # the end of the word, and the next match
        await me.rests()
        assert (me.daemon.asked, me.daemon.sent) == ([], [])
        assert me.app.context.drafts.stored.get("a") == text


@KINDS
async def test_an_edit_that_is_refused_late_does_not_move_the_focus(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, kind)
        me.daemon.answers.clear()
        await me.press("enter", "ctrl+t")
        me.daemon.refusal = problem("No.", 409)
        me.daemon.answers.set()
        await me.shows("No.", "kept with your draft")
        assert me.transcript.has_focus
        assert (me.composer.text, me.app.context.editor.message) == (text, None)


@KINDS
async def test_an_edit_refused_when_another_chat_is_shown_is_in_the_draft_of_its_own(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        text = await open_edit(me, kind)
        me.daemon.answers.clear()
        await me.press("enter")
        me.app.session.open("b")
        me.daemon.refusal = GONE
        me.daemon.answers.set()
        await me.shows("It is not in the queue any more.", "The edit was not saved", "A chat”.")
        assert me.composer.text == ""
        me.app.session.open("a")
        assert me.composer.text == f"a draft\n\n{text}"


@KINDS
async def test_an_edit_refused_while_another_is_open_waits_in_the_draft_beneath_it(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, kind)
        me.daemon.answers.clear()
        await me.press("enter", "ctrl+o", "down", "e")
        await me.shows("editing message 2 of the queue")
        me.daemon.refusal = GONE
        me.daemon.answers.set()
        await me.shows("It is not in the queue any more.", "kept with your draft")
        assert me.composer.text == "second of the queue"
        assert me.app.context.drafts.stored.get("a") == text
        await me.press("escape")
        assert me.composer.text == text


@KINDS
async def test_an_edit_refused_when_its_chat_is_deleted_is_in_the_draft_of_a_new_chat(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, kind)
        me.daemon.answers.clear()
        await me.press("enter")
        me.app.session.open("b")
        await me.shows("Another")
        del me.daemon.known["a"]
        me.daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: "a" not in me.app.session.chats.chats)
        me.daemon.refusal = problem("There is no chat a.", 404, "chat_not_found")
        me.daemon.answers.set()
        await me.shows("There is no chat a.")
        me.app.perform("chat.new")
        await me.until(lambda: me.composer.text == text)


@pytest.mark.parametrize("how", ["open", "in another chat", "on its way"])
async def test_an_edit_at_the_end_of_the_client_is_in_the_draft_of_the_next_one(
    tmp_path: Path, how: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        text = await open_edit(me, "queued")
        me.daemon.answers.clear()
        if how == "on its way":
            await me.press("enter")
        elif how == "in another chat":
            me.app.session.open("b")
        me.app.exit(0)
        me.app.exit(0)  # a signal while the client is being left
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.until(lambda: me.composer.text)
        assert me.composer.text == f"a draft\n\n{text}"


async def test_what_is_written_in_an_edit_is_on_disk_until_the_edit_is_left(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, "queued")
        disk = LocalStore(tmp_path)
        await me.until(lambda: [draft.text for draft in disk.drafts()] == [text])
        await me.press("escape")
        await me.until(lambda: not disk.drafts())


async def test_an_edit_that_was_saved_or_not_changed_is_in_no_draft(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await open_edit(me, "queued")
        await me.press("enter")
        await me.until(lambda: me.daemon.asked)
        await me.press("ctrl+o", "down", "e")
        await me.shows("editing message 2")
        me.app.exit(0)
    assert LocalStore(tmp_path).drafts() == []


async def test_an_edit_that_nobody_changed_is_not_kept_when_its_chat_is_deleted(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.press("ctrl+o", "e")
        me.app.session.open("b")
        await me.shows("Another")
        me.daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: "a" not in me.app.session.chats.chats)
        me.app.perform("chat.new")
        await me.rests()
        assert me.composer.text == ""
        assert "What you wrote" not in me.text()


async def test_the_enter_for_an_edit_whose_chat_has_just_been_deleted_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        text = await open_edit(me, "queued")
        with monkeypatch.context() as unpainted:
            unpainted.setattr(me.app._frames, "request", lambda: None)
            me.daemon.watching.tell(ChatDeleted("a"))
            await me.until(lambda: me.app.session.current != "a")
            await me.press("enter")
        await me.shows("Nothing was sent")
        assert (me.composer.text, me.daemon.sent) == (f"a draft\n\n{text}", [])
        me.app.paint()
        me.clock.advance(2)
        await me.press("enter")  # now it was seen
        await me.until(lambda: me.daemon.sent)


# --- two edits ----------------------------------------------------------------------------


@KINDS
async def test_another_edit_leaves_the_one_that_is_open_and_undo_goes_on_with_it(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        text = await open_edit(me, kind)
        await me.press("ctrl+o", "down", "e")
        await me.shows("editing message 2 of the queue", "^z goes on with what you wrote")
        assert me.composer.text == "second of the queue"
        await me.press("ctrl+z")
        await me.hides("editing message 2")
        assert me.composer.text == text
        await me.press("escape")
        assert me.composer.text == "a draft"


@KINDS
async def test_the_edit_that_is_open_goes_on_when_its_message_is_opened_again(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, kind)
        await me.press("ctrl+o" if kind == "queued" else "ctrl+t", "e")
        assert (me.composer.text, me.composer.has_focus) == (text, True)


# --- emptied ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "left", "key", "held"),
    [
        ("queued", "", "enter", False),
        ("queued", "", "enter", True),
        ("queued", "  ", "ctrl+s", False),
        ("earlier", "", "ctrl+s", False),
        ("earlier", " ", "enter", True),
    ],
)
async def test_an_emptied_edit_asks_for_nothing_and_says_what_to_do(
    tmp_path: Path, kind: str, left: str, key: str, held: bool
) -> None:
    daemon = with_queue("paused" if held else "running", held=held)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await open_edit(me, kind)
        await me.press("ctrl+u", *(["space"] * len(left)))
        assert me.composer.text == left
        await me.press(key)
        await me.shows("An empty message cannot be", "Esc leaves")
        assert (daemon.asked, daemon.sent, daemon.interrupts) == ([], [], [])
        assert me.app.context.editor.message is not None


# --- saved and sent now --------------------------------------------------------------------


@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize("elsewhere", [True, False])
async def test_an_edited_message_is_sent_now_by_the_key_that_sends_now(
    tmp_path: Path, changed: bool, elsewhere: bool
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.write("a draft")
        await me.press("ctrl+o", "down", "e", *("!" if changed else ""))
        await me.shows("⏎ put back · ^s send now · Esc leave it as it was")
        me.daemon.answers.clear()
        await me.press("ctrl+s")
        if elsewhere:
            me.app.session.open("b")
        me.daemon.answers.set()
        edit = [("edit", 2, "second of the queue!")] if changed else []
        await me.until(lambda: me.daemon.asked == [*edit, ("promote", 2, 7)])
        assert set(me.daemon.about) == {"a"}
        assert me.composer.text == ("" if elsewhere else "a draft")


async def test_an_edit_that_is_refused_is_not_sent_now_either(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, "queued")
        me.daemon.refusal = problem("The disk is full.")
        await me.press("ctrl+s")
        await me.shows("The disk is full.")
        assert (me.daemon.asked, me.composer.text) == ([], text)


@KINDS
async def test_a_second_enter_of_the_same_stroke_does_not_send_the_draft_beneath_an_edit(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        await open_edit(me, kind)
        await me.press("enter", "enter")
        await me.until(lambda: me.daemon.asked)
        assert (me.composer.text, me.daemon.sent) == ("a draft", [])
        me.app.post_message(events.Paste(", pasted"))  # what was pasted is sent at once
        await me.until(lambda: me.composer.text == "a draft, pasted")
        await me.press("enter")
        await me.until(lambda: me.daemon.sent)


async def test_two_enters_of_one_stroke_are_one_however_long_the_first_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        await open_edit(me, "queued")
        settle = KeyQueue._settle

        async def slowly(keys: KeyQueue) -> None:
            await settle(keys)
            me.clock.advance(1.5)  # more than `SAME_STROKE_S`

        monkeypatch.setattr(KeyQueue, "_settle", slowly)
        me.tap("enter", "enter")
        await me.until(lambda: me.daemon.asked)
        await me.shows("count as one")
        assert (me.composer.text, me.daemon.sent) == ("a draft", [])


async def test_the_key_that_sends_now_is_no_second_enter(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("a draft")
        await me.press("ctrl+l", "enter", "ctrl+s")
        await me.until(lambda: me.daemon.sent)


async def test_the_enter_that_opens_an_edit_does_not_send_it(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2", "two")
        await me.write("/edit")
        await me.press("enter", "enter")
        await me.shows("drops 1 message")
        assert (me.composer.text, me.daemon.asked) == ("second", [])


async def test_the_enter_that_opens_a_chat_does_not_send_its_draft(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="b") as me:
        await me.shows("A chat", "Another")
        await me.write("half a thought")
        me.app.session.open("a")
        await me.shows("Queue · 2")
        await me.press("ctrl+l", "down", "enter", "enter")
        await me.until(lambda: me.composer.has_focus)
        assert (me.app.session.current, me.composer.text) == ("b", "half a thought")
        assert me.daemon.sent == []


async def test_without_a_message_the_key_that_sends_now_stops_nothing(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.write("this instead")
        await me.press("ctrl+s", "ctrl+s")
        await me.until(lambda: me.daemon.sent)
        await me.shows("nothing is written")
        assert me.daemon.asked == []


# --- the message is gone, or elsewhere ----------------------------------------------------


async def test_the_frame_has_the_number_that_an_edited_message_has_now(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await open_edit(me, "queued")
        await me.shows("editing message 1 of the queue")
        me.daemon.stream_of("a").tell(queue(SECOND, FIRST))
        await me.shows("editing message 2 of the queue")


@KINDS
async def test_an_edit_of_a_message_that_is_gone_sends_nothing_and_becomes_a_draft(
    tmp_path: Path, kind: str
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, kind)
        if kind == "queued":
            me.daemon.stream_of("a").tell(queue(SECOND))
            await me.shows("the message that you edit has left the queue", "⏎ keep as a draft")
        else:
            me.daemon.stream_of("a").tell(HistoryTruncated(3), MessageEvent(user(5, "anew")))
            await me.shows("the message that you edit is gone", "⏎ keep as a draft")
            assert me.transcript.editing is None  # nothing is marked as dropped
        await me.hides("editing message 1")
        await me.press("enter")
        await me.shows("Nothing was sent")
        assert (me.composer.text, me.app.context.editor.message) == (text, None)
        assert (me.daemon.asked, me.daemon.sent) == ([], [])


async def test_an_edit_without_changes_whose_message_is_gone_leaves_nothing(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o", "e")
        await me.shows("editing message 1")
        me.daemon.stream_of("a").tell(queue(SECOND))
        await me.shows("has left the queue")
        await me.press("enter")
        await me.shows("Nothing was sent")
        assert (me.composer.text, me.app.context.editor.message) == ("", None)
        assert (me.daemon.asked, me.daemon.sent) == ([], [])


async def test_left_when_its_message_is_gone_an_edit_is_had_back_as_a_draft(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        text = await open_edit(me, "queued")
        me.daemon.stream_of("a").tell(queue(SECOND))
        await me.shows("has left the queue")
        await me.press("escape")
        await me.shows("^z brings back what you wrote")
        assert me.composer.text == ""
        await me.press("ctrl+z")
        assert (me.composer.text, me.app.context.editor.message) == (text, None)


async def test_an_edit_changes_what_its_message_is_now_and_keeps_what_others_changed(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o", "e")
        await me.shows("editing message 1")
        other = msgspec.structs.replace(FIRST, content="changed elsewhere")
        me.daemon.stream_of("a").tell(queue(other, SECOND))
        await me.shows("changed elsewhere")
        await me.press("enter")  # nothing was typed: nothing is put back
        assert me.app.context.editor.message is None
        assert me.daemon.asked == []


VIEW = ChatView("a", messages=tuple(SAID[2:]), queue=(SECOND,), older=True)


@pytest.mark.parametrize(
    ("message", "gone"),
    [(SECOND, False), (FIRST, True), (SAID[2], False), (SAID[0], False), (user(9, "x"), True)],
)
def test_a_message_of_a_page_that_is_not_here_is_not_gone(
    message: Message | QueuedMessage, gone: bool
) -> None:
    read = replace(VIEW, progress=Progress(since=9))
    assert is_gone(read, message) is gone
    assert not is_gone(VIEW, message)  # not known before the stream was read


def test_the_place_in_the_queue_is_that_of_now() -> None:
    assert (queue_place(VIEW, SECOND), queue_place(VIEW, FIRST)) == (0, None)

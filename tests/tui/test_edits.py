"""Editing, forking and clearing a history: drops are shown before, and a failure loses no text."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from palaver.wire.chats import ChatStatus
from palaver.wire.events import CaughtUp, HistoryTruncated, MessageEvent, QueueUpdate
from palaver.wire.messages import MessagePage
from palaver_tui.actions.edits import begin_rewriting
from palaver_tui.state.chat import ChatView
from palaver_tui.state.dropped_messages import Counted, Dropped, dropped_by, in_words
from palaver_tui.transcript.marks import dropped_marks
from tui.replay import ReplayClient, answer, chat, problem, queued, status, user, versions
from tui.screen import Client, client

SAID = [user(1, "first"), answer(2, "one"), user(3, "second"), answer(4, "two")]
SEEN = versions(9, 7, 7)


def with_history(
    word: ChatStatus = "waiting", *more: QueueUpdate, archived: bool = False
) -> ReplayClient:
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat", word, archived=archived), chat("b", "Another"))
    messages = [MessageEvent(message) for message in SAID]
    daemon.stream_of("a").tell(status(word, versions=SEEN), *messages, *more, CaughtUp(9))
    daemon.stream_of("b").tell(status(title="Another"), CaughtUp(1))
    return daemon


def marks(me: Client) -> dict[str, str]:
    """Return the kind of mark on each line of the transcript, by the line's words."""
    column = me.transcript.viewport.column
    found: dict[str, str] = {}
    for y in range(column.height):
        words = column.line(y)[2].text.strip(" ▎")
        kinds: list[str] = [mark.kind for mark in dropped_marks(column, me.transcript.editing, y)]
        (kind,) = kinds or [""]
        if words:
            found[words] = kind
    return found


async def test_an_edit_shows_what_goes_before_it_is_sent_and_sends_what_was_shown(
    tmp_path: Path,
) -> None:
    daemon = with_history("running", QueueUpdate([queued(1, "x")], held=False))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.write("a draft")
        await me.press("ctrl+t", "left_curly_bracket", "left_curly_bracket", "e")
        await me.shows("─ drops 3 messages, 1 in the queue and the answer under way ─", "⏎ say it")
        assert (me.composer.text, me.composer.has_focus) == ("first", True)
        kinds = marks(me)
        assert [kinds[w] for w in ("first", "one", "second", "two")] == ["target"] + ["dropped"] * 3
        assert me.transcript.has_marks
        await me.press("!", "enter")
        await me.until(lambda: daemon.asked == [("anew", 1, "first!", 7)])
        assert me.composer.text == "a draft"
        daemon.stream_of("a").tell(HistoryTruncated(1), MessageEvent(user(5, "first!")))
        await me.hides("second")
        assert set(marks(me).values()) == {""}


async def test_an_edit_that_is_left_changes_nothing(tmp_path: Path) -> None:
    daemon = with_history()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.write("a draft")
        await me.press("ctrl+t", "e")
        # No target: the last message is meant.
        await me.shows("editing your message · drops 1 message")
        assert me.composer.text == "second"
        await me.press("x", "escape")
        await me.hides("editing your message")
        assert (me.composer.text, daemon.asked) == ("a draft", [])
        assert set(marks(me).values()) == {""}


async def test_an_edit_that_is_refused_is_in_the_composer_again(tmp_path: Path) -> None:
    daemon = with_history()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+t", "e", "end", "!")
        daemon.refusal = problem("The conversation changed; look at it again first.")
        await me.press("enter")
        await me.shows("The conversation changed", "editing your message")
        assert me.composer.text == "second!"
        daemon.refusal = None
        me.clock.advance(2)
        await me.press("enter")
        await me.until(lambda: daemon.asked == [("anew", 3, "second!", 7)])


async def test_an_edit_that_fails_when_another_chat_is_shown_is_kept_with_its_chat(
    tmp_path: Path,
) -> None:
    daemon = with_history()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        daemon.answers.clear()
        await me.press("ctrl+t", "e", "end", "!", "enter")
        me.app.session.open("b")
        daemon.down = True
        daemon.answers.set()
        await me.shows("connection refused")
        assert me.composer.text == ""
        me.app.session.open("a")
        assert me.composer.text == "second!"


async def test_an_edit_goes_on_where_it_was_when_one_comes_back_to_its_chat(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_history(), chat_id="a") as me:
        await me.shows("second", "two")
        await me.write("a draft")
        await me.press("ctrl+t", "e", "end", "!")
        me.app.session.open("b")
        assert (me.composer.text, me.app.context.editor.message) == ("", None)
        me.app.session.open("a")
        await me.shows("editing your message · drops 1 message")
        assert me.composer.text == "second!"
        await me.press("escape")
        assert me.composer.text == "a draft"


async def test_what_comes_meanwhile_is_counted_before_it_goes(tmp_path: Path) -> None:
    daemon = with_history()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+t", "e")
        await me.shows("drops 1 message")
        daemon.stream_of("a").tell(
            MessageEvent(user(5, "from elsewhere")), status(versions=versions(10, 8, 8))
        )
        await me.shows("drops 2 messages")
        await me.press("enter")
        await me.until(lambda: daemon.asked == [("anew", 3, "second", 8)])


async def test_an_archived_chat_is_neither_edited_nor_cleared(tmp_path: Path) -> None:
    daemon = with_history(archived=True)
    daemon.watching.tell()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "archived ·")
        for key in ("e", "x"):
            await me.press("ctrl+t", key)
            await me.shows("This chat is archived.")
        assert (me.composer.text, daemon.asked) == ("", [])
        assert len(me.app.screen_stack) == 1


async def test_a_fork_takes_all_up_to_the_message_that_is_pointed_at(tmp_path: Path) -> None:
    daemon = with_history()
    daemon.stream_of("forked").tell(status(title="A chat (fork)"), CaughtUp(1))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+t", "f")
        await me.until(lambda: me.view.chat_id == "forked")
        await me.shows("A chat (fork)")
        assert me.composer.has_focus
        me.app.session.open("a")
        await me.shows("second", "two")
        await me.press("ctrl+t", "left_curly_bracket", "left_curly_bracket", "f")
        await me.until(lambda: daemon.asked == [("fork", "a", 4), ("fork", "a", 1)])


async def test_the_model_forgets_only_after_a_question(tmp_path: Path) -> None:
    daemon = with_history()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+t", "x")
        await me.shows("Let the model forget?", "You still do.")
        await me.press("enter")
        await me.hides("Let the model forget?")
        assert daemon.asked == []
        await me.press("x", "down", "enter")
        await me.until(lambda: daemon.asked == [("clear", 7)])


async def test_messages_that_are_not_here_are_counted_by_asking_for_them(tmp_path: Path) -> None:
    daemon = with_history()
    rest = [user(number, f"m{number}") for number in range(2, 6)]
    daemon.pages[None] = MessagePage(rest, more=False)
    daemon.pages[2] = MessagePage(SAID[:1], more=False)  # discarded at the end, and fetched again
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        session = me.app.session
        session.views["a"] = replace(session.view, gap=1)
        begin_rewriting(me.app.context, SAID[0])
        # Of the four that the daemon has, those up to the last one in memory.
        await me.until(lambda: me.app.context.editor.counted == Counted(3, 1, 4))
        await me.shows("drops 3 messages")


@pytest.mark.parametrize(
    ("dropped", "words"),
    [
        (Dropped(0, 0, answer=False), ""),
        (Dropped(1, 0, answer=False), "1 message"),
        (Dropped(3, 2, answer=False), "3 messages and 2 in the queue"),
        (Dropped(3, 2, answer=True), "3 messages, 2 in the queue and the answer under way"),
        (Dropped(0, 0, answer=True), "the answer under way"),
        (Dropped(9, 0, answer=False, at_least=True), "more than 9 messages"),
    ],
)
def test_what_goes_is_said_in_a_few_words(dropped: Dropped, words: str) -> None:
    assert in_words(dropped) == words


def test_what_is_not_here_counts_as_soon_as_it_is_known() -> None:
    view = ChatView(messages=(SAID[0], SAID[2], SAID[3]), gap=1)
    assert dropped_by(view, 1) == Dropped(2, 0, answer=False, at_least=True)
    assert dropped_by(view, 1, Counted(5, after=1, up_to=3)) == Dropped(6, 0, answer=False)
    # A count for another message does not apply to this one.
    assert dropped_by(view, 1, Counted(5, after=3, up_to=3)).at_least
    assert dropped_by(view, 3) == Dropped(1, 0, answer=False)


async def test_what_was_written_in_an_edit_that_was_left_can_be_had_back(tmp_path: Path) -> None:
    daemon = with_history()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.write("a draft")
        await me.press("ctrl+t", "e")
        await me.shows("editing your message")
        await me.press(*"!!", "escape")
        await me.shows("^z goes on with what you wrote")
        assert me.composer.text == "a draft"
        await me.press("ctrl+z")
        await me.shows("editing your message")
        assert me.composer.text == "second!!"
        await me.press("escape", "ctrl+u", "up")
        assert me.composer.text == "second!!"  # recalled like earlier messages
        await me.press("up")
        assert me.composer.text == "second"


async def test_an_edit_that_was_left_as_it_was_leaves_nothing_to_undo(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_history(), chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+t", "e")
        await me.shows("editing your message")
        await me.press("escape", "ctrl+z")
        await me.shows("There is nothing to take back.")


async def test_a_fork_in_the_middle_of_an_edit_keeps_what_was_written(tmp_path: Path) -> None:
    daemon = with_history()
    daemon.stream_of("forked").tell(status(title="A chat (fork)"), CaughtUp(1))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+t", "e")
        await me.press(*"!!", "ctrl+t", "f")
        await me.shows("You are in")
        assert (me.app.session.current, me.composer.text) == ("forked", "")
        await me.press("ctrl+z")
        await me.until(lambda: me.app.session.current == "a")
        assert me.composer.text == "second!!"
        await me.shows("editing your message")


async def test_an_edit_whose_message_is_gone_comes_back_as_a_draft(tmp_path: Path) -> None:
    daemon = with_history()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("second", "two")
        await me.press("ctrl+t", "e", *"!!", "escape")
        daemon.stream_of("a").tell(HistoryTruncated(3))
        await me.until(lambda: len(me.view.messages) == 2)
        await me.press("ctrl+z")
        assert (me.composer.text, me.app.context.editor.message) == ("second!!", None)

"""The queue, retries, errors and models: the requests that keys send to the daemon."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from palaver.wire.chats import ChatStatus, Model, Models, RetryInfo, Sent
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    ChatDeleted,
    ChatUpdated,
    ErrorEvent,
    QueueUpdate,
    RetryEvent,
    UsageEvent,
)
from palaver_tui.state.banner import banner
from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection, offline
from palaver_tui.state.outgoing import acknowledged
from palaver_tui.state.primary_action import primary
from palaver_tui.textual_patches.terminal_driver import KeyParser
from palaver_tui.widgets.queue import QueuePanel
from tui.replay import (
    BAD_KEY,
    OVERLOADED,
    T0,
    ReplayClient,
    chat,
    part,
    problem,
    queued,
    status,
    user,
    versions,
)
from tui.screen import Client, client
from tui.test_client import running, with_chat

LIVE = Connection("live")
RETRY = RetryInfo(1, 10, 8000, T0 + timedelta(seconds=8), OVERLOADED)
TWO = QueueUpdate([queued(1, "first of the queue"), queued(2, "second of the queue")], held=False)


def queueing() -> ReplayClient:
    daemon = running(user(1, "why?"))
    daemon.stream_of("a").tell(status("running", versions=versions(5, 5, 4)), TWO)
    return daemon


def held() -> ReplayClient:
    daemon = with_chat(user(1, "why?"), word="paused")
    daemon.stream_of("a").tell(msgspec.structs.replace(TWO, held=True))
    return daemon


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (["enter"], ("promote", 1, 4)),
        (["down", "enter"], ("promote", 2, 4)),
        (["d"], ("delete", 1)),
        (["down", "shift+up"], ("order", [2, 1])),
        (["J"], ("order", [2, 1])),
        (["h"], ("hold",)),
    ],
)
async def test_a_key_in_the_queue_panel_asks_for_one_thing(
    tmp_path: Path, keys: list[str], asked: tuple[object, ...]
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2", "first of the queue", "second of the queue")
        await me.press("ctrl+o", *keys)
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [asked]


async def test_moving_past_an_end_of_the_queue_asks_for_nothing(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o", "K", "down", "J")
        assert me.daemon.asked == []


async def test_letters_of_the_queue_are_text_in_the_composer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("d", "e", "h")
        assert me.composer.text == "deh"
        assert me.daemon.asked == []


async def test_a_message_taken_back_to_edit_keeps_its_place_and_the_draft_comes_back(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.write("a draft")
        await me.press("ctrl+o", "down", "e")
        await me.shows("editing message 2 of the queue", "in the composer")
        assert me.composer.text == "second of the queue"
        await me.press("!", "enter")
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("edit", 2, "second of the queue!")]
        assert me.composer.text == "a draft"


async def test_escape_leaves_a_queued_message_as_it_was_and_stops_nothing(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o", "e", "x", "escape")
        assert me.composer.text == ""
        assert (me.daemon.asked, me.daemon.interrupts) == ([], [])


async def test_an_edit_that_came_too_late_leaves_its_text_in_the_composer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o", "e", "!")
        me.daemon.refusal = problem("It is not in the queue any more.", 404)
        await me.press("enter")
        await me.shows("It is not in the queue any more.")
        assert me.composer.text == "first of the queue!"


async def test_enter_on_an_empty_composer_releases_a_held_queue(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=held(), chat_id="a") as me:
        await me.shows("Queue · 2 · held", "⏎ release the queue")
        await me.press("enter")
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("release",)]


async def test_enter_on_an_empty_composer_sends_the_head_of_a_free_queue(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("⏎ stop, and send the next one")
        await me.press("enter")
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("promote", 1, 4)]


async def test_a_message_sent_while_an_answer_runs_waits_in_the_panel(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    daemon.answers.clear()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("why?")
        await me.write("and then this")
        await me.press("enter")
        await me.shows("Queue · 1", "and then this")
        daemon.answers.set()
        await me.until(lambda: daemon.sent)
        assert daemon.sent[0][1].when_busy == "queue"


async def type_bytes(me: Client, sent: str) -> None:
    """Send what a terminal sends for keys."""
    for message in KeyParser(debug=False).feed(sent):
        me.app.post_message(message)
    await me.pilot.pause()
    await me.until(lambda: me.app.key_queue.quiet)


# ^s from every terminal; Alt+Enter from those with Kitty's protocol.
INTERRUPTING = pytest.mark.parametrize("sent", ["\x13", "\x1b[13;3u"], ids=["^s", "alt+enter"])


@INTERRUPTING
async def test_a_key_interrupts_the_turn_that_was_seen_for_the_message(
    tmp_path: Path, sent: str
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.write("stop, do this")
        await type_bytes(me, sent)
        await me.until(lambda: me.daemon.sent)
        request = me.daemon.sent[0][1]
        assert (request.when_busy, request.turn_version) == ("interrupt", 4)
        assert (request.content, me.composer.text) == ("stop, do this", "")


@INTERRUPTING
async def test_the_same_key_puts_an_edited_message_back_and_interrupts_for_it(
    tmp_path: Path, sent: str
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o", "e", "end", "!")
        await type_bytes(me, sent)
        await me.until(lambda: len(me.daemon.asked) == 2)
        edited = ("edit", 1, "first of the queue!")
        assert me.daemon.asked == [edited, ("promote", 1, 4)]


async def test_below_twenty_four_rows_the_queue_is_one_line_until_it_is_looked_at(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a", size=(80, 20)) as me:
        await me.shows("Queue · 2", "first of the queue")
        assert "second of the queue" not in me.text()
        await me.press("ctrl+o")
        await me.shows("second of the queue")


async def test_a_queue_that_is_empty_now_can_still_be_drawn(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a", size=(80, 20)) as me:
        await me.shows("Queue · 2")
        panel = me.app.main.query_one(QueuePanel)
        panel.show(ChatView(), None, 20)
        assert not panel.render_line(0).text.strip()  # drawn before it is hidden


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_a_model_that_is_being_loaded_is_no_attempt(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    error = ChatError("loading", "Ollama is loading the model llama3.2.", status_code=503)
    retry = RetryInfo(1, 10, 8000, T0 + timedelta(seconds=8), error)
    daemon = running(user(1, "why?"))
    daemon.stream_of("a").tell(status("running", versions=versions(5, 5, 4)), RetryEvent(retry))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=size) as me:
        await me.shows(
            "The model is being loaded · asked again in 8 s",
            "Ollama is loading the model llama3.2.",
            "↻ waiting until sonnet is loaded",
        )
        assert "attempt" not in me.text()


async def test_a_retry_counts_down_and_is_skipped_by_enter(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    seen = versions(5, 5, 4)
    daemon.stream_of("a").tell(status("running", versions=seen), RetryEvent(RETRY))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Retrying in 8 s · attempt 2 of 10", "Anthropic is overloaded.", "529")
        me.clock.advance(3)
        me.app._tick()
        await me.shows("Retrying in 5 s")
        await me.press("enter")
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("skip", 4, seen.retry)]
        daemon.stream_of("a").tell(RetryEvent(None), part("now", episode="5.2"))
        await me.hides("Retrying")


async def test_a_failed_turn_is_tried_again_without_writing_anything(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"), word="error")
    daemon.stream_of("a").tell(ErrorEvent(BAD_KEY))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The key was not accepted", "try again")
        await me.write("half a thought")
        await me.press("ctrl+g")
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("resume", 1, None)]
        assert me.composer.text == "half a thought"


async def test_a_rate_limit_that_names_a_time_is_tried_again_at_that_time(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"), word="error")
    error = msgspec.structs.replace(OVERLOADED, kind="rate_limit", retry_at=T0 + timedelta(hours=1))
    daemon.stream_of("a").tell(ErrorEvent(error))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("try again in 1 h 0 min")
        await me.press("enter")
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("resume", 1, T0 + timedelta(hours=1))]


def test_a_time_that_the_provider_named_is_counted_down_and_then_no_longer_waited_for() -> None:
    error = ChatError("rate_limit", "Later.", retry_at=T0 + timedelta(hours=1))
    view = ChatView("a", status="error", error=error)

    def offered(after: timedelta) -> str:
        shown = banner(view, Connection("live"), T0 + after)
        assert shown is not None
        return shown.keys[0][2]

    assert offered(timedelta(0)) == "try again in 1 h 0 min"
    assert offered(timedelta(minutes=20)) == "try again in 40 min 0 s"
    assert offered(timedelta(hours=2)) == "try again"


async def test_another_model_is_chosen_from_a_list(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.available_models = Models(
        [Model("sonnet", "anthropic", "a", default=True), Model("gpt", "openai", "b")]
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.app.session.models)
        await me.press("f3")
        await me.shows("Who answers", "openai · b")
        await me.press("down", "enter")
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("model", "gpt")]


async def test_a_new_chat_begins_with_the_model_that_was_chosen(tmp_path: Path) -> None:
    daemon = with_chat()
    daemon.available_models = Models(
        [Model("sonnet", "anthropic", "a", default=True), Model("gpt", "openai", "b")]
    )
    async with client(tmp_path, daemon=daemon) as me:
        await me.until(lambda: me.app.session.models)
        await me.press("f3", "down", "enter")
        await me.shows("You are talking to gpt")
        await me.write("hi")
        await me.press("enter")
        await me.until(lambda: daemon.sent)
        assert daemon.sent[0][1].model == "gpt"


async def test_a_refused_message_can_be_taken_back(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.refusal = problem("The queue is full: 20 messages.")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        await me.write("one more")
        await me.press("enter")
        await me.shows("not sent")
        await me.press("up")
        await me.until(lambda: me.composer.text == "one more")
        assert me.view.outgoing == ()


async def test_what_is_not_known_is_left_out_of_the_header(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 30)) as me:
        await me.shows("sonnet · ● ")  # neither cost nor context usage
        daemon.stream_of("a").tell(UsageEvent(None, 900, 200_000, None))
        await me.until(lambda: me.view.context_tokens == 900)
        await me.pilot.pause()
        assert "ctx" not in me.text()
        daemon.stream_of("a").tell(UsageEvent(None, 50_000, 200_000, 410_000))
        await me.shows("ctx ▃ 25%", "$0.41")


class TestBannerPriority:
    error = ChatView(status="error", error=BAD_KEY)
    retry = ChatView(status="running", retry=RETRY, error=BAD_KEY)
    lost = Connection("reconnecting", "cut", T0 - timedelta(seconds=5), T0, lost=True)

    @pytest.mark.parametrize(
        ("view", "connection", "title"),
        [
            (error, offline("gone", T0), "No connection"),
            (retry, lost, "Lost the connection"),
            (retry, LIVE, "Retrying"),
            (error, LIVE, "The key was not accepted"),
        ],
    )
    def test_the_most_important_banner_is_shown(
        self, view: ChatView, connection: Connection, title: str
    ) -> None:
        shown = banner(view, connection, T0)
        assert shown is not None
        assert shown.title.startswith(title)

    def test_a_connection_that_is_back_at_once_makes_no_banner(self) -> None:
        blink = Connection("reconnecting", "cut", T0, T0)
        assert banner(ChatView(), blink, T0 + timedelta(seconds=0.5)) is None

    def test_when_all_is_well_there_is_none(self) -> None:
        assert banner(ChatView(), LIVE, T0) is None

    @pytest.mark.parametrize("kind", ["context_overflow", "content_filter"])
    def test_what_would_fail_again_is_not_offered(self, kind: str) -> None:
        error = msgspec.structs.replace(BAD_KEY, kind=kind)
        assert primary(ChatView(status="error", error=error), LIVE) is None


async def test_a_second_enter_of_the_same_stroke_does_not_stop_the_answer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.write("one more")
        await me.press("enter", "enter")
        await me.until(lambda: me.daemon.sent)
        assert me.daemon.asked == []
        me.clock.advance(0.9)
        await me.press("enter")  # a third one, within `SAME_STROKE_S` of the second
        assert me.daemon.asked == []
        me.clock.advance(1.1)
        await me.press("enter")
        await me.until(lambda: me.daemon.asked == [("promote", 1, 4)])


# --- which message a key applies to, and undo ---------------------------------------------

THREE = [queued(n, text) for n, text in enumerate(("first one", "second one", "third one"), 1)]


async def test_a_queue_that_is_focused_before_its_first_message_selects_it(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "why?"), word="running")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.caught_up)
        daemon.answers.clear()
        await me.write("wait for it")
        await me.press("enter")
        await me.shows("Queue · 1")
        await me.press("ctrl+o", "e")
        await me.shows("still being sent")
        daemon.stream_of("a").tell(QueueUpdate(THREE, held=False))
        await me.shows("third one")
        await me.press("e")
        assert me.composer.text == "first one"


def three(word: ChatStatus = "running") -> ReplayClient:
    daemon = with_chat(user(1, "why?"), word=word)
    seen = versions(5, 5, 4)
    daemon.stream_of("a").tell(status(word, versions=seen), QueueUpdate(THREE, held=False))
    return daemon


def left(daemon: ReplayClient, *numbers: int) -> None:
    daemon.stream_of("a").tell(QueueUpdate([THREE[n - 1] for n in numbers], held=False))


@pytest.mark.parametrize("key", ["d", "enter", "e", "J"])
async def test_a_key_for_a_message_that_has_left_by_itself_does_nothing_to_another(
    tmp_path: Path, key: str
) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o")
        left(daemon, 2, 3)
        await me.shows("Queue · 2")
        await me.press(key)
        await me.shows("Nothing was done", "has left")
        assert (daemon.asked, me.composer.text) == ([], "")
        await me.press("down", "d")  # the message that moved into its place
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("delete", 2)]


async def test_a_key_right_after_a_message_left_and_before_it_is_painted_does_nothing(
    tmp_path: Path,
) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o")
        vars(me.app._frames)["request"] = lambda: None  # no paints from here on
        left(daemon, 2, 3)
        await me.until(lambda: len(me.view.queue) == 2)
        me.app.perform("queue.remove")
        await me.shows("Nothing was done")
        assert daemon.asked == []


async def test_after_a_removal_the_next_one_is_selected_and_a_second_key_waits_for_it(
    tmp_path: Path,
) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o", "down", "d", "d")  # the second `d` before the first is done
        await me.shows("Removed “second one”. ^z puts it back.")
        assert daemon.asked == [("delete", 2)]
        left(daemon, 1, 3)
        await me.shows("Queue · 2")
        await me.press("d")
        await me.shows("Removed “third one”")
        assert daemon.asked == [("delete", 2), ("delete", 3)]


async def test_a_removed_message_is_put_back_at_its_place_for_its_model(tmp_path: Path) -> None:
    daemon = three()
    own = msgspec.structs.replace(THREE[1], model="gpt")
    daemon.stream_of("a").tell(QueueUpdate([THREE[0], own, THREE[2]], held=False))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3", "gpt")
        await me.press("ctrl+o", "down", "d")
        await me.shows("Removed “second one”")
        left(daemon, 3)  # the answer to the first one has started
        await me.shows("Queue · 1")
        await me.press("ctrl+z")
        await me.until(lambda: daemon.sent)
        (chat_id, request, _), *others = daemon.sent
        assert (chat_id, request.content, request.model) == ("a", "second one", "gpt")
        assert (request.position, request.when_busy, others) == (0, "queue", [])
        assert me.composer.text == ""


async def test_undone_when_no_answer_runs_a_removed_message_is_not_sent_but_written(
    tmp_path: Path,
) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o", "d")
        await me.shows("Removed “first one”")
        daemon.stream_of("a").tell(status("waiting", versions=versions(6, 6, 5)))
        await me.until(lambda: me.view.status == "waiting")
        await me.press("ctrl+z")
        await me.shows("it would be sent at once", "is in the composer")
        assert (me.composer.text, daemon.sent) == ("first one", [])


async def test_what_cannot_be_put_back_is_written(tmp_path: Path) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o", "d")
        await me.shows("Removed “first one”")
        daemon.refusal = problem("The queue is full: 20 messages.")
        await me.press("ctrl+z")
        await me.shows("The queue is full")
        assert me.composer.text == "first one"


async def test_a_message_that_could_not_be_removed_can_be_tried_again(tmp_path: Path) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        daemon.refusal = problem("The disk is full.")
        await me.press("ctrl+o", "d")
        await me.shows("The disk is full.")
        daemon.refusal = None
        await me.press("d")
        await me.shows("Removed “first one”")


async def test_what_was_removed_is_among_what_was_written_before(tmp_path: Path) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o", "d")
        await me.shows("Removed “first one”")
        left(daemon)
        await me.hides("Queue ·")
        await me.press("up")
        assert me.composer.text == "first one"
        await me.press("up")
        assert me.composer.text == "why?"


async def test_undone_in_a_chat_at_rest_whose_queue_is_held_nothing_is_sent(tmp_path: Path) -> None:
    daemon = three("paused")
    daemon.stream_of("a").tell(QueueUpdate(THREE, held=True))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3 · held")
        await me.write("a draft")
        await me.press("ctrl+o", "d")
        await me.shows("Removed “first one”")
        left(daemon, 2, 3)
        await me.shows("Queue · 2")
        await me.press("ctrl+z")
        await me.shows("it would be sent at once", "“first one”")
        assert (me.composer.text, daemon.sent) == ("a draft\n\nfirst one", [])


@pytest.mark.parametrize(("word", "is_queued"), [("running", True), ("waiting", False)])
async def test_undone_from_another_chat_a_message_goes_back_to_its_own(
    tmp_path: Path, word: ChatStatus, is_queued: bool
) -> None:
    daemon = three()
    daemon.stream_of("b").tell(status("running", title="Another", versions=versions(5, 5, 4)))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o", "down", "d")
        await me.shows("Removed “second one”")
        me.app.session.open("b")
        await me.until(lambda: me.view.title == "Another")
        daemon.watching.tell(ChatUpdated(chat("a", "A chat", word), []))
        await me.until(lambda: me.app.session.chats.chats["a"].status == word)
        await me.press("ctrl+z")
        await me.until(lambda: me.app.session.current == "a")
        if is_queued:
            await me.until(lambda: daemon.sent)
            [(chat_id, request, _)] = daemon.sent
            assert (chat_id, request.content, request.position) == ("a", "second one", 1)
        else:
            await me.shows("it would be sent at once")
            assert (me.composer.text, daemon.sent) == ("second one", [])


async def test_undone_when_all_of_a_chat_was_forgotten_a_message_keeps_its_place(
    tmp_path: Path,
) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o", "down", "down", "d")
        await me.shows("Removed “third one”")
        me.app.session.open("b")
        daemon.watching.tell(ChatUpdated(chat("a", "A chat", "running"), []))
        await me.until(lambda: me.app.session.chats.chats["a"].status == "running")
        del me.app.session.views["a"]  # as after opening many other chats
        await me.press("ctrl+z")
        await me.until(lambda: daemon.sent)
        assert (daemon.sent[0][0], daemon.sent[0][1].position) == ("a", 2)


async def test_undone_when_its_chat_is_deleted_a_message_is_here_and_it_is_said(
    tmp_path: Path,
) -> None:
    daemon = three()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 3")
        await me.press("ctrl+o", "d")
        await me.shows("Removed “first one”")
        daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: me.app.session.is_draft)
        await me.press("ctrl+z")
        await me.shows("Its chat is deleted")
        assert (me.composer.text, daemon.sent) == ("first one", [])


async def test_escape_leaves_the_queue_and_stops_nothing(tmp_path: Path) -> None:
    daemon = queueing()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o")
        await me.shows("Esc leave the queue")
        await me.press("escape")
        assert me.composer.has_focus
        assert daemon.interrupts == []
        await me.shows("Esc stop")
        await me.press("escape")
        await me.until(lambda: daemon.interrupts)


async def test_what_interrupts_goes_before_what_waits_and_the_composer_says_so(
    tmp_path: Path,
) -> None:
    daemon = queueing()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.write("this first")
        await me.shows("⏎ queue · ^s send now")


async def test_what_interrupts_is_answered_before_what_waits_in_the_order_it_was_sent(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        for text in ("not that", "but this"):
            await me.write(text)
            await me.press("ctrl+s")
        await me.until(lambda: len(me.daemon.sent) == 2)
        asked = [(request.when_busy, request.position) for _, request, _ in me.daemon.sent]
        assert asked == [("interrupt", 0), ("interrupt", 1)]
        await me.write("and later")
        await me.press("enter")
        await me.until(lambda: len(me.daemon.sent) == 3)
        request = me.daemon.sent[2][1]
        assert (request.when_busy, request.position) == ("queue", None)


def test_a_message_that_interrupts_is_shown_at_its_place() -> None:
    view = ChatView(chat_id="a", queue=tuple(TWO.queue))
    placed = msgspec.structs.replace(queued(3, "this instead"), position=0)
    sent = Sent(chat("a", "A chat", "interrupting"), queued=placed)
    assert [one.id for one in acknowledged(view, "key", sent).queue] == [3, 1, 2]

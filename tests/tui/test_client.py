"""What users see and can do: a whole client with a replayed daemon."""

from functools import partial
from pathlib import Path

import pytest

from palaver.client import Connected, ConnectionLost, Endpoint, PalaverError
from palaver.wire.chats import Chat, ChatStatus, Model, Models
from palaver.wire.errors import ChatError
from palaver.wire.events import CaughtUp, ChatUpdated, ErrorEvent, MessageEvent
from palaver.wire.messages import Message, MessagePage
from palaver_tui.timing import RESEND_AFTER_S
from tui.replay import (
    BAD_KEY,
    ENDPOINT,
    ReplayClient,
    answer,
    chat,
    part,
    problem,
    status,
    user,
    versions,
)
from tui.screen import client, lay_out_near

LONG = "\n\n".join(f"paragraph {number}" for number in range(60))


def with_chat(*messages: Message, word: ChatStatus = "waiting") -> ReplayClient:
    daemon = ReplayClient()
    daemon.open(chat("a", "First chat", word), chat("b", "Second chat", minutes_ago=5))
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    stream.tell(*[MessageEvent(message) for message in messages], status(word, "First chat"))
    stream.tell(CaughtUp(1))
    return daemon


def running(*messages: Message) -> ReplayClient:
    return with_chat(*messages, word="running")


async def test_the_first_paint_does_not_wait_for_the_daemon(tmp_path: Path) -> None:
    import asyncio

    never = asyncio.Event()

    async def connect() -> Endpoint:
        await never.wait()
        return ENDPOINT

    async with client(tmp_path, connect=connect) as me:
        await me.shows("What shall we talk about?", "palaver")


async def test_a_daemon_that_cannot_be_reached_is_one_sentence_and_a_key(tmp_path: Path) -> None:
    calls = []

    async def connect() -> Endpoint:
        calls.append(1)
        if len(calls) == 1:
            raise PalaverError("The daemon did not start: the disk is full.")
        return ENDPOINT

    async with client(tmp_path, connect=connect) as me:
        await me.shows("The daemon did not start: the disk is full.", "^g")
        me.daemon.open()
        await me.press("ctrl+g")
        await me.hides("the disk is full")
        await me.until(lambda: me.app.session.connection.phase == "live")


async def test_without_any_key_the_first_screen_says_what_to_do_and_offers_the_simulator(
    tmp_path: Path,
) -> None:
    daemon = ReplayClient()
    missing = ChatError("missing_key", "ANTHROPIC_API_KEY is not set.")
    daemon.available_models = Models([Model("sonnet", "anthropic", "x", unavailable=missing)])
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("export ANTHROPIC_API_KEY", "palaver demo", "ANTHROPIC_API_KEY is not set.")


async def test_a_daemon_that_stays_away_is_started_again_and_a_failure_is_said_once(
    tmp_path: Path,
) -> None:
    calls = []

    async def connect() -> Endpoint:
        calls.append(1)
        if len(calls) > 1:
            raise PalaverError("The daemon did not start: the disk is full.")
        return ENDPOINT

    daemon = with_chat(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, connect=connect) as me:
        await me.until(lambda: me.app.session.connection.phase == "live")
        since = me.clock.now()
        daemon.watching.tell(ConnectionLost("cut", since, 0.5))
        await me.until(lambda: me.app.session.connection.phase == "reconnecting")
        assert len(calls) == 1
        me.clock.advance(3)
        for number in (2, 3):
            daemon.watching.tell(ConnectionLost("connection refused", since, 0.5))
            await me.until(partial(lambda number: len(calls) == number, number))
        await me.shows("the disk is full")
        assert me.text().count("the disk is full") == 1


async def test_the_first_message_makes_a_chat_and_is_shown_before_it_is_acknowledged(
    tmp_path: Path,
) -> None:
    daemon = ReplayClient()
    daemon.open()
    daemon.answers.clear()
    async with client(tmp_path, daemon=daemon) as me:
        await me.until(lambda: me.app.session.models)
        await me.write("Hello there")
        await me.press("enter")
        await me.shows("you · 10:42 · sending", "Hello there")
        where = me.text().rindex("Hello there")
        daemon.answers.set()
        await me.hides("sending")
        assert me.text().rindex("Hello there") == where
        assert [request.content for _id, request, _key in daemon.sent] == ["Hello there"]
        assert me.view.chat_id == "made"
        assert me.composer.text == ""


async def test_an_answer_is_shown_as_it_comes_and_replaced_without_a_change(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        stream.tell(part("It *wai", episode="1.1"))
        await me.shows("It *wai")
        stream.tell(part("ts* here.", 7, episode="1.1"))
        await me.shows("It waits here.", "is answering")
        before = [line.text for line in me.transcript.viewport.column.sections[-1].stack.lines]
        stream.tell(MessageEvent(answer(2, "It *waits* here."), replaces="1.1"), status("waiting"))
        await me.until(lambda: me.view.live is None)
        await me.hides("is answering")
        after = [line.text for line in me.transcript.viewport.column.sections[-1].stack.lines]
        assert before == after


async def test_scrolled_up_the_view_does_not_move_and_new_lines_are_counted(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"), answer(2, LONG), user(3, "go on"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("go on")
        stream = daemon.stream_of("a")
        stream.tell(part("start\n\n", episode="3.1"))
        await me.shows("start")
        await me.press("ctrl+t", "pageup", "pageup")
        rows = me.transcript.size.height

        def seen() -> list[str]:
            top = me.transcript.scroll_offset.y
            return [me.transcript.viewport.column.line(top + row)[2].text for row in range(rows)]

        lay_out_near(me.app)
        before = seen()
        height = me.transcript.viewport.column.height
        for number in range(20):
            stream.tell(part(f"more {number:02}\n\n", 7 + 9 * number, episode="3.1"))
        await me.until(lambda: me.transcript.viewport.column.height == height + 40)
        assert seen() == before
        assert me.transcript.viewport.new_lines == 40
        await me.shows("↓ 40 new")
        await me.press("G")
        await me.shows("more 19")
        assert me.transcript.viewport.following


async def test_scrolling_up_into_messages_that_were_never_laid_out_moves_line_by_line(
    tmp_path: Path,
) -> None:
    messages = [answer(number, LONG, model=f"m{number}") for number in range(1, 12)]
    daemon = with_chat(*messages)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("paragraph 59")
        await me.press("ctrl+t")
        rows = me.transcript.size.height

        def seen() -> list[str]:
            top = me.transcript.scroll_offset.y
            return [me.transcript.viewport.column.line(top + row)[2].text for row in range(rows)]

        for _ in range(130):
            before = seen()
            me.transcript.viewport.move(-1)
            await me.pilot.pause()
            assert seen()[1:] == before[:-1]


async def test_older_messages_come_in_above_without_moving_the_view(tmp_path: Path) -> None:
    daemon = with_chat(answer(50, LONG))
    daemon.pages[50] = MessagePage([user(49, "older one"), user(48, "oldest")], more=False)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("paragraph 59")
        await me.press("ctrl+t", "home")
        await me.until(lambda: len(me.view.messages) == 3)
        await me.press("home")
        await me.shows("oldest", "older one")
        assert not me.view.older


async def test_a_width_change_keeps_the_first_visible_line(tmp_path: Path) -> None:
    daemon = with_chat(answer(1, LONG), answer(2, LONG, model="other"))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 30)) as me:
        await me.shows("paragraph 59")
        await me.press("ctrl+t", "pageup", "pageup")
        top = me.transcript.viewport.column.line(me.transcript.scroll_offset.y)[2].text
        await me.pilot.resize_terminal(64, 30)
        await me.pilot.pause()
        assert me.transcript.viewport.column.line(me.transcript.scroll_offset.y)[2].text == top


async def test_escape_stops_what_runs_in_the_turn_that_was_seen_and_holds_the_queue(
    tmp_path: Path,
) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        daemon.stream_of("a").tell(status("running", versions=versions(9, 8, 7)))
        await me.until(lambda: me.view.versions == versions(9, 8, 7))
        await me.write("a draft")
        await me.press("escape")
        await me.until(lambda: daemon.interrupts)
        chat_id, request = daemon.interrupts[0]
        assert (chat_id, request.turn_version, request.hold_queue) == ("a", 7, True)
        assert me.composer.text == "a draft"


async def test_escape_closes_a_dialog_before_it_stops_anything(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.app.session.now.state == "starting")
        for key, words in (("f1", "Writing"), ("ctrl+p", "What do you want to do?")):
            await me.press(key)
            await me.shows(words)
            await me.press("escape")
            await me.until(lambda: len(me.app.screen_stack) == 1)
        assert daemon.interrupts == []


async def test_a_narrow_window_shows_the_list_over_the_conversation_and_escape_closes_it(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), size=(70, 24), chat_id="a") as me:
        await me.until(lambda: me.app.session.chats.loaded)
        assert "Second chat" not in me.text()
        await me.press("ctrl+l")
        await me.shows("Second chat")
        await me.press("escape")
        await me.hides("Second chat")
        assert me.composer.has_focus


async def test_moving_through_the_list_shows_each_chat_and_its_cached_view_at_once(
    tmp_path: Path,
) -> None:
    daemon = with_chat(user(1, "text of the first"))
    second = daemon.stream_of("b")
    second.tell(Connected())
    second.tell(
        MessageEvent(user(5, "text of the second")), status(title="Second chat"), CaughtUp(4)
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("text of the first", "Second chat")
        await me.press("ctrl+l", "down")
        await me.shows("text of the second")
        await me.press("up")
        await me.shows("text of the first")
        assert [position for name, position in daemon.positions if name == "a"][-1].since == 1


async def test_a_draft_stays_with_its_chat(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "text of the first"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("text of the first", "Second chat")
        await me.write("for the first")
        await me.press("ctrl+l", "down")
        await me.until(lambda: me.composer.text == "")
        await me.press("up")
        await me.until(lambda: me.composer.text == "for the first")


@pytest.mark.parametrize("key", ["ctrl+j", "alt+j", "shift+enter"])
async def test_a_new_line_is_no_sending(tmp_path: Path, key: str) -> None:
    async with client(tmp_path, daemon=with_chat(), chat_id="a") as me:
        await me.press("x", key, "y")
        assert me.composer.text == "x\ny"
        assert me.composer.size.height == 2
        assert me.daemon.sent == []


async def test_the_composer_grows_to_a_few_rows_and_shrinks_again(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(), chat_id="a") as me:
        await me.write("\n".join("0123456789abc"))
        await me.until(lambda: me.composer.size.height == 8)
        await me.press("enter")
        await me.until(lambda: me.composer.size.height == 1)


async def test_an_empty_message_is_not_sent(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(), chat_id="a") as me:
        await me.write("  \n ")
        await me.press("enter")
        assert me.daemon.sent == []
        assert me.composer.text == "  \n "


async def test_what_was_refused_stays_and_says_why(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.refusal = problem("The queue is full: 20 messages.")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        await me.write("one more")
        await me.press("enter")
        await me.shows("not sent", "The queue is full: 20 messages.", "one more")


async def test_without_a_connection_a_message_waits_and_goes_out_once_with_its_key(
    tmp_path: Path,
) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        daemon.down = True
        await me.write("hold on")
        await me.press("enter")
        await me.shows("waiting for the connection")
        (item,) = me.view.outgoing
        daemon.down = False
        daemon.watching.tell(ConnectionLost("cut", me.clock.now(), 1.0))
        daemon.watching.tell(Connected())
        await me.hides("waiting for the connection")
        assert [key for _id, _request, key in daemon.sent] == [item.key]


async def test_a_message_whose_answer_was_lost_goes_out_again_while_the_stream_stands(
    tmp_path: Path,
) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.app.session.connection.phase == "live")
        daemon.down = True
        await me.write("while it is away")
        await me.press("enter")
        await me.shows("waiting for the connection")
        (item,) = me.view.outgoing
        daemon.down = False
        me.clock.advance(RESEND_AFTER_S)
        await me.hides("waiting for the connection")
        assert [key for _id, _request, key in daemon.sent] == [item.key]


async def test_a_daemon_that_was_never_reached_is_not_said_to_be_lost(tmp_path: Path) -> None:
    daemon = ReplayClient()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        lost = ConnectionLost("no daemon is running there", me.clock.now(), 3.0)
        me.clock.advance(2)
        daemon.watching.tell(lost)
        await me.shows("No connection yet · tried for 2 s", "no daemon is running there")
        daemon.watching.tell(Connected())
        await me.hides("No connection yet")


async def test_a_lost_connection_is_a_banner_and_the_text_stays(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "still here"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("still here")
        lost = ConnectionLost("connection refused", me.clock.now(), 3.0)
        me.clock.advance(2)
        daemon.watching.tell(lost)
        await me.shows("Lost the connection · 2 s ago", "connection refused", "still here")
        daemon.watching.tell(Connected())
        await me.hides("Lost the connection")


async def test_an_error_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"), word="error")
    daemon.stream_of("a").tell(ErrorEvent(BAD_KEY))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The key was not accepted", "Check ANTHROPIC_API_KEY", "401")
        assert "req_011" not in me.text()
        await me.press("f4")
        await me.shows("invalid x-api-key", "req_011CSHoEeqs5C35K2UUqR7Fy")


async def test_the_list_follows_what_the_daemon_says(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Second chat")
        changed = replace_chat(chat("b", "Renamed", "error"))
        daemon.watching.tell(ChatUpdated(changed, ["title", "status"]))
        await me.shows("Renamed", "✗ failed")


def replace_chat(value: Chat) -> Chat:
    import msgspec

    return msgspec.structs.replace(value, versions=versions(5))


async def test_hostile_titles_and_texts_neither_crash_nor_drive_the_screen(tmp_path: Path) -> None:
    evil = "[/nope] [bold]x\x1b[2J\x9b1m\u202e"
    daemon = ReplayClient()
    daemon.open(chat("a", evil, "error", model=evil))
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    error = replace_error(evil)
    stream.tell(
        MessageEvent(user(1, evil)),
        MessageEvent(answer(2, evil, model=evil)),
        status("error", evil, model=evil),
        ErrorEvent(error),
        CaughtUp(1),
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("[/nope] [bold]x␛[2J")
        me.app.context.notices.say(evil)
        await me.pilot.pause()
        assert "\x1b" not in me.text()
        assert "\x9b" not in me.text()


def replace_error(words: str) -> ChatError:
    import msgspec

    return msgspec.structs.replace(BAD_KEY, message=words, detail=words, provider=words)


async def test_many_deltas_are_few_repaints(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("why?")
        painted = me.app._frames.painted
        stream = daemon.stream_of("a")
        for number in range(500):
            stream.tell(part("ab ", 3 * number, episode="1.1"))
        await me.until(lambda: me.view.live and me.view.live.blocks[0].text.length == 1500)
        await me.until(lambda: not me.app._frames._pending)
        assert me.app._frames.painted - painted < 100


async def test_leaving_ends_the_connection(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("First chat")
        await me.press("ctrl+q")
    assert daemon.closed
    assert me.app.return_code == 0


@pytest.mark.parametrize("theme", ["palaver-plain", "palaver-dark"])
async def test_without_colour_nothing_on_the_screen_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with client(tmp_path, daemon=running(user(1, "why?")), chat_id="a") as me:
        assert me.app.theme == "palaver-plain"
        me.app.theme = theme
        await me.shows("why?")
        await me.pilot.pause()
        styles = [
            segment.style
            for strip in me.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
        ]
        colours = [colour for style in styles for colour in (style.color, style.bgcolor)]
        assert {colour.name for colour in colours if colour is not None} <= {"default"}


async def test_a_window_that_changes_its_width_is_laid_out_for_the_new_one(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "why?"), word="error")
    daemon.stream_of("a").tell(ErrorEvent(BAD_KEY))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 40)) as me:
        sentence = "Anthropic did not accept the API key. Check ANTHROPIC_API_KEY, then"
        for width, narrow in ((60, True), (200, False), (60, True), (89, True), (90, False)):
            await me.pilot.resize_terminal(width, 30)
            await me.until(
                partial(lambda narrow: me.app.main.has_class("-narrow") == narrow, narrow)
            )
            await me.until(lambda: sentence in " ".join(me.text().replace("│", " ").split()))
            assert me.app.main.query_one("#chats").display is not narrow


async def test_what_is_laid_out_meanwhile_takes_nobody_back_to_an_end_that_is_near(
    tmp_path: Path,
) -> None:
    messages = [answer(number, LONG, model=f"m{number}") for number in range(1, 12)]
    async with client(tmp_path, daemon=with_chat(*messages), chat_id="a") as me:
        await me.shows("paragraph 59")
        await me.press("ctrl+t")
        end = me.transcript.scroll_offset.y
        me.transcript.viewport.move(-1)
        above = me.transcript.viewport.column.line(me.transcript.scroll_offset.y)[2].text
        for _ in range(3):
            me.transcript._lay_out_more()  # as the timer does
            top = me.transcript.scroll_offset.y
            assert me.transcript.viewport.column.line(top)[2].text == above
        assert me.transcript.viewport.following
        me.transcript.viewport.move(1)
        me.transcript._lay_out_more()
        assert me.transcript.scroll_offset.y == me.transcript.max_scroll_y >= end

"""Slash commands: listed, completed, run, and never sent to a model by accident."""

import re
from pathlib import Path

import pytest

from palaver.client import Endpoint, PalaverError
from palaver.interface import Choice
from palaver.wire.events import CaughtUp, MessageEvent, QueueUpdate
from palaver_tui.actions.availability import NEEDS
from palaver_tui.keymap.actions import ACTIONS, BY_COMMAND, Need
from palaver_tui.widgets.command_list import NAME_CELLS, CommandList
from palaver_tui.widgets.dialogs.help import HelpScreen
from tui.replay import ENDPOINT, ReplayClient, answer, chat, problem, queued, status, user
from tui.screen import Client, client
from tui.test_client import running, with_chat


def said() -> ReplayClient:
    return with_chat(user(1, "why?"), answer(2, "because"))


def listed(me: Client) -> list[str | None]:
    return [action.command for action in me.app.main.query_one(CommandList).actions]


def test_every_action_of_the_palette_has_a_name_of_its_own_that_can_be_written() -> None:
    names = [action.command for action in ACTIONS if action.command]
    assert len(names) == len(set(names)) == len(BY_COMMAND)
    assert all(re.fullmatch("[a-z-]+", name) and len(name) < NAME_CELLS - 1 for name in names)


async def test_what_is_written_after_a_slash_narrows_the_list_and_enter_runs_it(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await me.press("slash")
        await me.shows(f"Commands · {len(listed(me))} ", "/new", "↑ ↓ pick  Tab complete ─")
        assert "⏎ send" not in me.text()  # a slash alone is neither sent nor a command
        await me.press("h", "e")
        assert listed(me) == ["help"]
        await me.shows("─ Commands ─", "Tab complete  ⏎ run")
        await me.press("enter")
        await me.until(lambda: isinstance(me.app.screen, HelpScreen))
        assert (me.composer.text, me.daemon.sent, listed(me)) == ("", [], [])


@pytest.mark.parametrize("text", ["/help", "/HELP", " /help "])
async def test_a_whole_name_in_one_burst_is_run_and_not_sent(tmp_path: Path, text: str) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        me.composer.insert(text)
        me.app.perform("composer.send")
        await me.until(lambda: isinstance(me.app.screen, HelpScreen))
        assert (me.composer.text, me.daemon.sent) == ("", [])


async def test_arrows_pick_and_tab_writes_out_what_is_picked(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await me.press("slash", "c", "o", "p", "y")
        assert listed(me) == ["copy", "copy-plain", "copy-message"]
        await me.press("down", "up", "down", "tab")
        assert (me.composer.text, listed(me)) == ("/copy-plain", ["copy-plain"])
        assert me.composer.has_focus
        await me.press("escape")
        assert (me.composer.text, listed(me)) == ("", [])
        await me.press("tab")
        assert not me.composer.has_focus


async def test_a_whole_name_comes_before_longer_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs: tuple[Need, ...] = ("failed", "retrying")
    for need in needs:
        monkeypatch.setitem(NEEDS, need, lambda _: True)
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await me.write("/retry")  # which is after /retry-now in the table
        await me.until(lambda: listed(me))
        assert listed(me) == ["retry", "retry-now"]


async def test_escape_on_a_command_stops_no_answer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=running(user(1, "why?")), chat_id="a") as me:
        await me.shows("why?", "Esc stop")
        await me.press("slash", "h")
        await me.shows("Esc clear")
        await me.press("escape")
        assert (me.composer.text, me.daemon.interrupts) == ("", [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/helpp", "There is no command /helpp"),
        ("/", "A slash alone is no command"),
        ("/reconnect", "/reconnect does nothing now"),
        ("/model gpt", "/model stands alone"),
    ],
)
@pytest.mark.parametrize("key", ["enter", "ctrl+s"])
async def test_what_looks_like_a_command_is_a_message_only_when_confirmed(
    tmp_path: Path, text: str, told: str, key: str
) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await me.write(text)
        await me.press(key)
        await me.shows(told)
        assert (me.composer.text, me.daemon.sent) == (text, [])
        if key == "enter":
            await me.press("enter")  # within `SAME_STROKE_S`
            await me.shows("count as one")
            assert me.daemon.sent == []
        me.clock.advance(2)
        await me.press(key)
        await me.until(lambda: me.daemon.sent)
        assert me.daemon.sent[0][1].content == text


async def test_a_doubt_is_over_when_something_else_was_written(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await me.write("/helpp")
        await me.press("enter", "x", "backspace")
        me.clock.advance(2)
        await me.press("enter")
        assert me.daemon.sent == []


@pytest.mark.parametrize(
    "text", ["/usr/bin is full", "/usr/bin", "/etc is full", "a /help", "/2", "//"]
)
async def test_a_text_that_begins_with_a_slash_is_sent(tmp_path: Path, text: str) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await me.write(text)
        assert listed(me) == []
        await me.press("enter")
        await me.until(lambda: me.daemon.sent)
        assert me.daemon.sent[0][1].content == text


async def test_the_list_has_room_in_a_small_window_and_scrolls(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a", size=(60, 20)) as me:
        await me.shows("because")
        await me.press("slash")
        await me.shows("because", "/new", "Commands")
        assert len(listed(me)) > 10
        await me.press(*["down"] * len(listed(me)))
        await me.shows("because", f"/{listed(me)[-1]}")


# --- what single commands do, and that they tell when they cannot -------------------------------


async def run(me: Client, command: str) -> None:
    await me.write(command)
    await me.press("enter")


async def test_stop_interrupts_the_answer_and_holds_the_queue(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("why?", "Esc stop")
        await run(me, "/stop")
        await me.shows("Stopped. What was written so far is kept.")
        [(chat_id, request)] = daemon.interrupts
        assert (chat_id, request.hold_queue) == ("a", True)


async def test_hold_holds_a_queue_and_releases_a_held_one(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    two = [queued(1, "x"), queued(2, "y")]
    daemon.stream_of("a").tell(QueueUpdate(two, held=False))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Queue · 2")
        await run(me, "/hold")
        await me.until(lambda: daemon.asked == [("hold",)])
        daemon.stream_of("a").tell(QueueUpdate(two, held=True))
        await me.until(lambda: me.view.held)
        await run(me, "/hold")
        await me.until(lambda: daemon.asked == [("hold",), ("release",)])
        assert daemon.about == ["a", "a"]
        daemon.refusal = problem("The disk is full.")
        await run(me, "/hold")
        await me.shows("The disk is full.")


async def test_edit_opens_ones_last_message(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await run(me, "/edit")
        await me.shows("editing your message")
        assert me.composer.text == "why?"


async def test_chats_goes_to_the_list(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await run(me, "/chats")
        assert me.app.main.chat_list.has_focus
        assert me.composer.text == ""


async def test_report_copies_what_went_wrong_in_the_client(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        me.app.context.errors.take(ValueError("odd"), me.clock.now())
        await me.shows("F8 copies a report")
        await run(me, "/report")
        await me.shows("the report")
        assert "ValueError" in me.app.clipboard


async def test_server_shows_the_servers(tmp_path: Path) -> None:
    servers = [Choice(None, here=True)]
    async with client(tmp_path, daemon=said(), chat_id="a", choices=lambda: servers) as me:
        await me.shows("because")
        await run(me, "/server")
        await me.shows("Servers", "this machine")
        assert me.composer.text == ""


async def test_reconnect_tries_at_once_and_keeps_the_chat(tmp_path: Path) -> None:
    tries: list[int] = []

    async def connect() -> Endpoint:
        tries.append(1)
        if len(tries) < 3:
            raise PalaverError(f"The disk is full, try {len(tries)}.")
        return ENDPOINT

    async with client(tmp_path, daemon=said(), chat_id="a", connect=connect) as me:
        await me.shows("The disk is full, try 1.")
        await run(me, "/reconnect")
        await me.shows("The disk is full, try 2.")
        await run(me, "/reconnect")
        await me.shows("because")
        assert (me.app.session.connection.phase, me.app.session.current) == ("live", "a")


@pytest.mark.parametrize("command", ["stop", "hold", "report", "server", "retry", "retry-now"])
async def test_a_command_that_does_nothing_now_says_so(tmp_path: Path, command: str) -> None:
    async with client(tmp_path, daemon=said(), chat_id="a") as me:
        await me.shows("because")
        await run(me, f"/{command}")
        await me.shows(f"/{command} does nothing now.")
        assert (me.daemon.asked, me.daemon.interrupts, me.daemon.sent) == ([], [], [])


async def test_edit_says_why_it_cannot(tmp_path: Path) -> None:
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat", archived=True))
    daemon.stream_of("a").tell(MessageEvent(user(1, "why?")), status(), CaughtUp(1))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("why?", "archived ·")
        await run(me, "/edit")
        await me.shows("This chat is archived.")

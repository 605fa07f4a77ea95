"""Messages that steer the answer that runs: the key, the mark in the queue, older daemons."""

from __future__ import annotations

from pathlib import Path

import msgspec

from palaver.wire.events import QueueUpdate
from palaver.wire.protocol import STEERING
from tui.replay import ReplayClient, queued, status, user, versions
from tui.screen import client
from tui.test_client import running, with_chat

TURN = 4
STEERS = msgspec.structs.replace(queued(1, "only the tests"), steer_turn=TURN)
HINT = "Alt+s steer"


def steered() -> ReplayClient:
    """Return a daemon with an answer that runs, a message that steers it, and one that waits."""
    daemon = running(user(1, "why?"))
    queue = QueueUpdate([STEERS, queued(2, "and then this")], held=False)
    daemon.stream_of("a").tell(status("running", versions=versions(5, 5, TURN)), queue)
    return daemon


async def test_a_key_sends_to_the_answer_that_was_seen(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=steered(), chat_id="a") as me:
        await me.write("in blue")
        await me.shows(HINT)
        await me.press("alt+s")
        await me.until(lambda: me.daemon.sent)
        chat_id, request, _ = me.daemon.sent[0]
        assert (chat_id, request.content, me.composer.text) == ("a", "in blue", "")
        assert (request.when_busy, request.turn_version) == ("steer", TURN)
        assert (request.model, request.position) == (None, None)


async def test_it_is_marked_in_the_queue_until_the_turn_is_over(tmp_path: Path) -> None:
    daemon = steered()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("only the tests", "steers")
        told = daemon.stream_of("a")
        told.tell(status("interrupting", versions=versions(6, 5, TURN)))
        await me.hides("steers")
        told.tell(status("running", versions=versions(7, 5, TURN)))
        await me.shows("steers")
        told.tell(status("running", versions=versions(8, 8, 8)))
        await me.hides("steers")
        await me.shows("only the tests")


async def test_a_queue_of_one_line_has_the_mark_too(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=steered(), chat_id="a", size=(60, 20)) as me:
        await me.shows("Queue · 2", "only the tests", "steers")


async def test_removed_and_put_back_it_steers_again_while_the_turn_runs(tmp_path: Path) -> None:
    daemon = steered()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("steers")
        await me.press("ctrl+o", "d")
        await me.shows("Removed “only the tests”")
        await me.press("ctrl+z")
        await me.until(lambda: daemon.sent)
        request = daemon.sent[0][1]
        assert (request.content, request.when_busy) == ("only the tests", "steer")
        assert (request.turn_version, request.position) == (TURN, None)


async def test_an_idle_chat_answers_it(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "why?")), chat_id="a") as me:
        await me.write("in blue")
        await me.press("alt+s")
        await me.until(lambda: me.daemon.sent)
        assert me.composer.text == ""


async def test_a_message_that_is_edited_is_not_sent_by_it(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=steered(), chat_id="a") as me:
        await me.shows("only the tests")
        await me.press("ctrl+o", "e", "end", "!", "alt+s")
        await me.shows("Nothing was sent: a message is being edited")
        assert (me.composer.text, me.daemon.asked) == ("only the tests!", [])


async def test_an_older_daemon_is_not_asked_and_nothing_that_was_written_is_lost(
    tmp_path: Path,
) -> None:
    daemon = steered()
    daemon.told.capabilities.remove(STEERING)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.app.session.info)
        await me.write("in blue")
        await me.shows("send now")
        await me.hides(HINT)
        await me.press("alt+s")
        await me.shows("The daemon is of version", "Update it.")
        assert (me.composer.text, me.daemon.sent) == ("in blue", [])

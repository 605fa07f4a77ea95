"""Messages that did not reach the daemon, or perhaps did: each can be had back, or is said once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from palaver.client import Unreachable
from palaver.wire.chats import SendMessage, Sent
from palaver.wire.events import ChatDeleted
from palaver_tui.storage.local_store import Draft, LocalStore, Unsent
from palaver_tui.timing import RESEND_AFTER_S
from tui.replay import ENDPOINT, T0, problem
from tui.screen import Client, client
from tui.test_refused_edits import with_queue


async def test_a_message_that_may_have_arrived_is_not_taken_back_as_if_it_had_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.until(lambda: me.app.session.connection.phase == "live")
        send = daemon.send

        async def lost(chat_id: str, request: SendMessage, *, key: str | None = None) -> Sent:
            await send(chat_id, request, key=key)
            raise Unreachable(ENDPOINT, "connection lost")

        monkeypatch.setattr(daemon, "send", lost)
        await me.write("once")
        await me.press("enter")
        await me.shows("waiting for the connection")
        await me.press("up")
        await me.shows("may have arrived")
        assert me.composer.text == ""
        monkeypatch.setattr(daemon, "send", send)
        me.clock.advance(RESEND_AFTER_S)
        await me.until(lambda: len(daemon.sent) == 2)
        assert len({key for _, _, key in daemon.sent}) == 1


async def test_a_message_that_an_earlier_client_may_have_sent_is_not_taken_back(
    tmp_path: Path,
) -> None:
    LocalStore(tmp_path).keep(Unsent("k", "sent before", T0, "b", str(ENDPOINT)))
    daemon = with_queue()
    daemon.down = True
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.shows("sent before", "waiting for the connection")
        await me.press("up")
        await me.shows("may have arrived")
        assert [path.stem for path in (tmp_path / "client" / "outbox").iterdir()] == ["k"]


# --- a chat that is being created, and was left -----------------------------------------------


def open_another(me: Client) -> None:
    me.app.session.open("b")


def begin_another(me: Client) -> None:
    me.app.perform("chat.new")


LEAVING = pytest.mark.parametrize("leave", [open_another, begin_another])


@LEAVING
async def test_half_a_text_for_a_chat_that_is_being_created_is_in_that_chat(
    tmp_path: Path, leave: Callable[[Client], None]
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.rests()
        me.app.perform("chat.new")
        daemon.answers.clear()
        await me.write("question")
        await me.press("enter")
        await me.write("secret for it")
        leave(me)
        assert me.composer.text == ""
        await me.app.context.drafts.stored.save()
        assert LocalStore(tmp_path).drafts() == [Draft("new", "secret for it", str(ENDPOINT))]
        daemon.answers.set()
        await me.until(lambda: "made" in me.app.session.views)
        me.app.session.open("made")
        assert me.composer.text == "secret for it"
        me.app.perform("chat.new")
        assert me.composer.text == ""
    assert LocalStore(tmp_path).drafts() == [Draft("made", "secret for it", str(ENDPOINT))]


@LEAVING
async def test_a_first_message_refused_after_its_chat_was_left_is_in_the_new_chat(
    tmp_path: Path, leave: Callable[[Client], None]
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.rests()
        me.app.perform("chat.new")
        daemon.answers.clear()
        await me.write("a long question")
        await me.press("enter")
        await me.write("and more")
        leave(me)
        daemon.refusal = problem("Too long.", 422)
        daemon.answers.set()
        await me.shows("A message was not sent")
        me.app.perform("chat.new")
        assert me.composer.text == "a long question\n\nand more"
        await me.until(lambda: not LocalStore(tmp_path).unsent())
        text = "a long question\n\nand more"
        assert LocalStore(tmp_path).drafts() == [Draft("new", text, str(ENDPOINT))]


async def test_a_first_message_refused_before_its_chat_was_left_is_in_the_new_chat(
    tmp_path: Path,
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon) as me:
        await me.rests()
        daemon.refusal = problem("Too long.", 422)
        await me.write("a long question")
        await me.press("enter")
        await me.shows("not sent", "Too long.")
        me.app.session.open("b")
        assert me.composer.text == ""
        me.app.perform("chat.new")
        assert me.composer.text == "a long question"
        await me.until(lambda: not LocalStore(tmp_path).unsent())


async def test_a_refused_first_message_of_an_earlier_client_is_in_the_new_chat(
    tmp_path: Path,
) -> None:
    LocalStore(tmp_path).keep(Unsent("k", "a long question", T0, None, str(ENDPOINT)))
    daemon = with_queue()
    daemon.refusal = problem("Too long.", 422)
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("A message was not sent")
        await me.until(lambda: me.composer.text == "a long question")
        await me.until(lambda: not LocalStore(tmp_path).unsent())


async def test_a_message_stays_in_the_outbox_if_its_draft_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_store: LocalStore, _draft: Draft) -> None:
        raise OSError("No space left on device")

    LocalStore(tmp_path).keep(Unsent("k", "a long question", T0, None, str(ENDPOINT)))
    monkeypatch.setattr(LocalStore, "keep_draft", full)
    daemon = with_queue()
    daemon.refusal = problem("Too long.", 422)
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Could not keep your draft on disk")
        await me.rests()
        assert [one.key for one in LocalStore(tmp_path).unsent()] == ["k"]


async def test_a_first_message_taken_back_and_left_in_the_composer_is_in_the_new_chat(
    tmp_path: Path,
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon) as me:
        await me.rests()
        daemon.down = True
        await me.write("a long question")
        await me.press("enter")
        await me.shows("waiting for the connection")
        await me.press("up")
        assert me.composer.text == "a long question"
        me.app.session.open("b")
        assert me.composer.text == ""
        me.app.perform("chat.new")
        assert me.composer.text == "a long question"


async def test_what_was_written_to_a_deleted_chat_is_not_put_into_one_that_is_being_created(
    tmp_path: Path,
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.rests()
        await me.write("to the deleted chat")
        me.app.perform("chat.new")
        daemon.answers.clear()
        await me.write("question")
        await me.press("enter")
        daemon.watching.tell(ChatDeleted("b"))
        await me.shows("“Another” was deleted.")
        assert me.composer.text == ""
        me.app.perform("chat.new")
        assert me.composer.text == "to the deleted chat"


async def test_a_draft_that_moves_is_on_disk_in_its_chat_before_it_is_no_draft_of_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=with_queue()) as me:
        await me.rests()
        stored, written = me.app.context.drafts.stored, list[str]()
        stored.begin("new:1")
        stored.put("new:1", "secret for it")
        await stored.save()
        monkeypatch.setattr(LocalStore, "keep_draft", lambda _, draft: written.append(draft.chat))
        for number in range(8):  # in a set, any of them may come first
            made = f"made-{number}"
            stored.put(made, stored.end("new:1", made) or "another")
        await stored.save()
        assert (len(written), written[-1]) == (9, "new")

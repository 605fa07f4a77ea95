"""Typed text survives a lost connection, leaving, and a crash."""

import asyncio
import json
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from palaver.client import Connected, PalaverError
from palaver.wire.events import CaughtUp, MessageEvent
from palaver_tui.storage.local_store import Draft, LocalStore, UnreadableError, Unsent
from tui.replay import ENDPOINT, T0, ReplayClient, answer, chat, status, user, versions
from tui.screen import BOUND_S, client
from tui.test_client import with_chat


def outbox(path: Path) -> list[Path]:
    return sorted((path / "client" / "outbox").glob("*.json"))


class TestLocalStore:
    def test_messages_come_back_in_the_order_they_were_written(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        for number in (3, 1, 2):
            store.keep(Unsent(str(number), "x", T0.replace(minute=number)))
        assert [unsent.key for unsent in store.unsent()] == ["1", "2", "3"]

    def test_a_file_that_is_no_message_is_put_aside_under_a_name_of_its_own(
        self, tmp_path: Path
    ) -> None:
        LocalStore(tmp_path).keep(Unsent("a", "x", T0))
        folder = tmp_path / "client" / "outbox"
        for number in (1, 2):
            (folder / "b.json").write_text(f'{{"half {number}')
            with pytest.raises(UnreadableError) as raised:
                LocalStore(tmp_path).claim_unsent(lambda _: True)
            assert [unsent.key for unsent in raised.value.found] == ["a"]
        assert "b.json.unreadable-2" in str(raised.value)
        aside = [folder / "b.json.unreadable", folder / "b.json.unreadable-2"]
        assert [path.read_text() for path in aside] == ['{"half 1', '{"half 2']

    def test_an_empty_draft_is_forgotten(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        store.keep_draft(Draft("a", "text", "here"))
        assert store.drafts() == [Draft("a", "text", "here")]
        store.keep_draft(Draft("a", " "))
        assert store.drafts() == []

    def test_what_others_wrote_may_know_more_fields(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        store.keep(Unsent("a", "x", T0))
        (path,) = outbox(tmp_path)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"later": 1}))
        assert [unsent.key for unsent in store.unsent()] == ["a"]


async def test_an_unsent_message_is_on_disk_until_the_daemon_has_it(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.answers.clear()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        await me.write("keep me")
        await me.press("enter")
        await me.until(lambda: outbox(tmp_path))
        daemon.answers.set()
        await me.until(lambda: daemon.sent and not outbox(tmp_path))


async def test_what_could_not_be_sent_goes_out_with_its_key_from_the_next_client(
    tmp_path: Path,
) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.down = True
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        await me.write("for later")
        await me.press("enter")
        await me.shows("waiting for the connection")
        (item,) = me.view.outgoing
    later = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=later, chat_id="a") as me:
        await me.until(lambda: later.sent)
        assert [(to, key) for to, _request, key in later.sent] == [("a", item.key)]
        await me.until(lambda: not outbox(tmp_path))


async def test_what_the_stream_shows_to_be_there_is_kept_no_more_though_no_answer_came(
    tmp_path: Path,
) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.down = True
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        for text in ("got there", "did not"):
            await me.write(text)
            await me.press("enter")
        await me.until(lambda: len(outbox(tmp_path)) == 2 and len(me.view.outgoing) == 2)
        first, second = me.view.outgoing
        daemon.stream_of("a").tell(MessageEvent(user(2, "got there", key=first.key)))
        await me.until(lambda: [path.stem for path in outbox(tmp_path)] == [second.key])
        assert [item.key for item in me.view.outgoing] == [second.key]
    later = with_chat(user(1, "x"), user(2, "got there", key=first.key))
    async with client(tmp_path, daemon=later, chat_id="a") as me:
        await me.until(lambda: not outbox(tmp_path))
        assert [key for _to, _request, key in later.sent] == [second.key]


async def test_a_chat_that_was_opened_before_its_answer_came_is_shown_as_it_is(
    tmp_path: Path,
) -> None:
    """The response to its creation was lost; it arrived in the list's stream and was opened."""
    daemon = ReplayClient()
    daemon.open()
    daemon.down = True
    async with client(tmp_path, daemon=daemon) as me:
        await me.write("begin")
        await me.press("enter")
        await me.shows("waiting for the connection")
        draft, (item,) = me.app.session.current, me.view.outgoing
        daemon.stream_of("made").tell(
            MessageEvent(user(101, "begin", key=item.key)),
            MessageEvent(answer(102, "done")),
            status("waiting", versions=versions(5, 5, 1)),
            CaughtUp(5),
        )
        me.app.session.open("made")
        await me.until(lambda: me.view.caught_up)
        daemon.down = False
        daemon.watching.tell(Connected())
        await me.until(lambda: not me.app.session.knows(draft))
        assert [key for _to, _request, key in daemon.sent] == [item.key]
        assert [message.id for message in me.view.messages] == [101, 102]
        assert (me.view.outgoing, me.app.session.current) == ((), "made")
        await me.until(lambda: not outbox(tmp_path))


async def test_the_first_message_of_a_chat_survives_too(tmp_path: Path) -> None:
    async def nowhere() -> NoReturn:
        raise PalaverError("No daemon.")

    async with client(tmp_path, connect=nowhere) as me:
        await me.shows("No daemon.")
        await me.write("begin")
        await me.press("enter")
        await me.shows("waiting for the connection")
    daemon = ReplayClient()
    daemon.open()
    async with client(tmp_path, daemon=daemon) as me:
        await me.until(lambda: daemon.sent)
        assert daemon.sent[0][1].content == "begin"


async def test_a_message_for_another_daemon_stays_where_it_is(tmp_path: Path) -> None:
    LocalStore(tmp_path).keep(Unsent("k", "not here", T0, "a", "https://elsewhere"))
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached and me.app.session.chats.loaded)
        assert daemon.sent == []
        assert str(ENDPOINT) != "https://elsewhere"
    assert outbox(tmp_path)


async def test_leaving_with_an_unsent_message_warns_once(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.down = True
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        await me.write("for later")
        await me.press("enter")
        await me.shows("waiting for the connection")
        await me.press("ctrl+q")
        await me.shows("1 message is not sent yet.")
        assert me.app.is_running
        await me.press("ctrl+q")
        await me.until(lambda: not me.app.is_running)


@pytest.mark.parametrize("chat_id", ["a", None])
async def test_a_draft_is_there_again_in_the_next_client(
    tmp_path: Path, chat_id: str | None
) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id=chat_id) as me:
        await me.write("half a thought")
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id=chat_id) as me:
        await me.until(lambda: me.composer.text == "half a thought")


async def test_what_is_typed_before_the_next_frame_belongs_to_the_chat_just_opened(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        me.composer.insert("to the first")
        me.app.session.open("b")
        assert me.composer.text == ""
        me.composer.insert("to the second")
        me.app.session.open("a")
        assert me.composer.text == "to the first"
        me.app.session.open("b")
        assert me.composer.text == "to the second"


async def test_what_was_being_written_to_a_chat_that_is_gone_stays_in_the_composer(
    tmp_path: Path,
) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        await me.write("half a thought")
        daemon.stream_of("a").refuse("There is no chat a.")
        await me.shows("There is no chat a.")
        await me.until(lambda: me.app.session.is_draft)
        assert me.composer.text == "half a thought"


async def test_a_message_is_on_disk_although_the_one_before_it_still_waits(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    daemon.answers.clear()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        for text in ("one", "two"):
            me.composer.insert(text)
            me.app.perform("composer.send")
        await me.until(lambda: len(outbox(tmp_path)) == 2)
        daemon.answers.set()
        await me.until(lambda: not outbox(tmp_path))
        assert [request.content for _to, request, _key in daemon.sent] == ["one", "two"]


async def test_what_is_written_while_the_first_message_is_on_its_way_belongs_to_its_chat(
    tmp_path: Path,
) -> None:
    daemon = ReplayClient()
    daemon.open()
    daemon.answers.clear()
    async with client(tmp_path, daemon=daemon) as me:
        await me.until(lambda: me.app.session.models)
        me.composer.insert("first")
        me.app.perform("composer.send")
        me.composer.insert("second thought")
        daemon.answers.set()
        await me.until(lambda: me.view.chat_id == "made")
        assert me.composer.text == "second thought"
        me.app.session.new_chat()
        assert me.composer.text == ""
    assert LocalStore(tmp_path).drafts() == [Draft("made", "second thought", str(ENDPOINT))]


async def test_the_last_words_before_leaving_are_kept(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.shows("First chat")
        me.composer.insert("last words")
        me.app.exit(0)  # before the field has posted that it changed
    assert [draft.text for draft in LocalStore(tmp_path).drafts()] == ["last words"]


async def test_a_save_that_is_cut_off_loses_no_draft_and_comes_after_no_newer_one(
    tmp_path: Path,
) -> None:
    begun, goes_on, kept = threading.Event(), threading.Event(), []
    async with client(tmp_path) as me:
        drafts = me.app.context.drafts.stored
        write = drafts._store.keep_draft

        def slowly(draft: Draft) -> None:
            begun.set()
            assert goes_on.wait(BOUND_S)
            kept.append(draft.text)
            write(draft)

        vars(drafts._store)["keep_draft"] = slowly
        drafts.put("a", "one")
        drafts.put("b", "two")
        first = asyncio.create_task(drafts.save())
        await me.until(begun.is_set)
        first.cancel()
        await asyncio.wait({first})
        drafts.put("a", "one and more")
        second = asyncio.create_task(drafts.save())
        goes_on.set()
        await second
        assert {draft.text for draft in LocalStore(tmp_path).drafts()} == {"one and more", "two"}
        assert "one" not in kept[kept.index("one and more") :]


async def test_a_draft_that_could_not_be_written_is_written_by_the_next_save(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as me:
        drafts = me.app.context.drafts.stored
        write = drafts._store.keep_draft

        def full(_draft: Draft) -> None:
            raise OSError("No space left on device")

        vars(drafts._store)["keep_draft"] = full
        drafts.put("a", "an idea")
        await drafts.save()
        await me.shows("Could not keep your draft on disk")
        vars(drafts._store)["keep_draft"] = write
        await drafts.save()
        assert [draft.text for draft in LocalStore(tmp_path).drafts()] == ["an idea"]


async def test_a_draft_that_cannot_be_written_keeps_no_other_from_the_disk(tmp_path: Path) -> None:
    async with client(tmp_path) as me:
        drafts = me.app.context.drafts.stored
        write, tried = drafts._store.keep_draft, []

        def some(draft: Draft) -> None:
            tried.append(draft.chat)
            if draft.chat in ("a", "c"):
                raise OSError("No space left on device")
            write(draft)

        vars(drafts._store)["keep_draft"] = some
        for chat_id in "abcd":
            drafts.put(chat_id, f"an idea for {chat_id}")
    # The exit saves once more.
    assert [draft.chat for draft in LocalStore(tmp_path).drafts()] == ["b", "d"]
    assert tried.count("b") == tried.count("d") == 1


async def test_files_that_cannot_be_read_cost_no_other_draft_and_no_other_message(
    tmp_path: Path,
) -> None:
    store = LocalStore(tmp_path)
    for chat_id in "ab":
        store.keep_draft(Draft(chat_id, f"an idea for {chat_id}", str(ENDPOINT)))
        store.keep(Unsent(f"key-{chat_id}", "written before", T0, "a", str(ENDPOINT)))
    store.close()
    # Folders, because root can read every file.
    for kind, name in (("drafts", "x"), ("outbox", "y")):
        (tmp_path / "client" / kind / f"{name}.json").mkdir()
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="b") as me:
        await me.shows("Could not read some of your drafts")
        await me.until(lambda: me.app.context.drafts.stored.get("b") == "an idea for b")
        await me.shows("Could not read some of your messages")
        await me.until(lambda: len(me.daemon.sent) == 2)
        await me.shows("x.json.unreadable", "y.json.unreadable")


async def test_a_chat_that_is_gone_costs_no_draft(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "x"))
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("First chat")
        await me.write("a long idea")
        me.app.session.open("a")
        await me.write("a reply")
        daemon.stream_of("a").refuse("There is no chat a.")
        await me.until(lambda: me.app.session.is_draft)
        assert me.composer.text == "a long idea\n\na reply"


async def test_a_sent_draft_is_gone(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.until(lambda: me.view.attached)
        await me.write("sent")
        await me.press("enter")
        await me.until(lambda: me.daemon.sent)
    assert LocalStore(tmp_path).drafts() == []


async def test_a_disk_that_cannot_be_written_says_so_and_the_message_goes_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "client").write_text("in the way")
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat"))
    async with client(tmp_path, daemon=daemon) as me:
        await me.until(lambda: me.app.session.models)
        await me.write("anyway")
        await me.press("enter")
        await me.shows("Could not keep your")
        await me.until(lambda: daemon.sent)


# --- a chat that another client has deleted while this one was not running ------------------


async def written_to_z(tmp_path: Path) -> None:
    daemon = with_chat()
    daemon.open(chat("a", "First chat"), chat("z", "Deleted soon"))
    daemon.stream_of("z").tell(status(title="Deleted soon"), CaughtUp(1))
    async with client(tmp_path, daemon=daemon, chat_id="z") as me:
        await me.until(lambda: me.view.attached)
        await me.write("half a thought")


async def test_a_draft_of_a_chat_that_was_deleted_meanwhile_is_in_the_new_chat(
    tmp_path: Path,
) -> None:
    await written_to_z(tmp_path)
    assert LocalStore(tmp_path).drafts() == [Draft("z", "half a thought", str(ENDPOINT))]
    async with client(tmp_path, daemon=with_chat()) as me:
        await me.shows("A chat that you were writing to was deleted. What you wrote")
        assert me.composer.text == "half a thought"
    assert LocalStore(tmp_path).drafts() == [Draft("new", "half a thought", str(ENDPOINT))]


async def test_it_stands_behind_what_is_in_the_new_chat_also_where_another_is_shown(
    tmp_path: Path,
) -> None:
    await written_to_z(tmp_path)
    LocalStore(tmp_path).keep_draft(Draft("new", "a beginning"))
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.shows("A chat that you were writing to was deleted.")
        assert me.composer.text == ""
        await me.press("ctrl+n")
        await me.until(lambda: me.composer.text == "a beginning\n\nhalf a thought")


@pytest.mark.parametrize("why", ["older", "elsewhere", "unknown", "unreachable"])
async def test_a_draft_stays_where_its_chat_is_not_known_to_be_deleted(
    tmp_path: Path, why: str
) -> None:
    daemon = with_chat()
    server = {"elsewhere": "http://elsewhere", "unknown": None}.get(why, str(ENDPOINT))
    LocalStore(tmp_path).keep_draft(Draft("z", "half a thought", server))
    if why == "older":
        daemon.known["z"] = chat("z", "An older chat", minutes_ago=9000)
    daemon.down = why == "unreachable"
    async with client(tmp_path, daemon=daemon) as me:
        await me.rests()
        await me.shows("First chat", *(["An older chat"] if why == "older" else []))
        assert "deleted" not in me.text()
        assert not me.composer.text
        assert me.app.context.drafts.stored.chats == {"z"}
    assert LocalStore(tmp_path).drafts() == [Draft("z", "half a thought", server)]

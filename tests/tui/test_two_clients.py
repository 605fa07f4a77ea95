"""Two clients with one data directory: neither touches the words of the other."""

import asyncio
import errno
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from palaver_tui.storage import owned_files
from palaver_tui.storage.local_store import Draft, LocalStore, Origin, Unsent
from palaver_tui.storage.owned_files import OwnedFiles
from tui.replay import ENDPOINT, T0
from tui.screen import Client, client
from tui.test_refused_edits import with_queue

HERE = str(ENDPOINT)


@asynccontextmanager
async def two(tmp_path: Path, **more: Any) -> AsyncIterator[tuple[Client, Client]]:
    async with (
        client(tmp_path, daemon=with_queue(), chat_id="b", **more) as one,
        client(tmp_path, daemon=with_queue(), chat_id="b", **more) as other,
    ):
        await one.rests()
        await other.rests()
        yield one, other


def on_disk(tmp_path: Path) -> list[str]:
    return [draft.text for draft in LocalStore(tmp_path).drafts()]


async def save(me: Client) -> None:
    assert await me.app.context.drafts.stored.are_saved()


async def test_each_has_a_draft_of_its_own_for_the_same_chat(tmp_path: Path) -> None:
    async with two(tmp_path) as (one, other):
        for me, text in ((one, "of one"), (other, "of the other")):
            await me.write(text)
            await save(me)
        assert sorted(on_disk(tmp_path)) == ["of one", "of the other"]
        await other.press("ctrl+u")
        await save(other)
        assert on_disk(tmp_path) == ["of one"]
        assert one.composer.text == "of one"


async def test_what_both_have_written_is_in_the_next_one_the_newest_last(tmp_path: Path) -> None:
    async with two(tmp_path) as (one, other):
        for me, text in ((one, "older"), (other, "newer")):
            await me.write(text)
            await save(me)
    for path in (tmp_path / "client" / "drafts").iterdir():
        when = 1 if "older" in path.read_text() else 2
        os.utime(path, (when, when))
    async with client(tmp_path, daemon=with_queue(), chat_id="b") as me:
        await me.until(lambda: me.composer.text == "older\n\nnewer")
        await save(me)
        assert on_disk(tmp_path) == ["older\n\nnewer"]


async def test_what_an_ended_one_has_left_is_there_when_the_chat_is_opened(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as stays:
        await stays.rests()
        async with client(tmp_path, daemon=with_queue(), chat_id="b") as leaves:
            await leaves.rests()
            await leaves.write("half a thought")
            await save(leaves)
            stays.app.session.open("b")
            await stays.rests()
            assert stays.composer.text == ""
            stays.app.session.open("a")
        stays.app.session.open("b")
        await stays.until(lambda: stays.composer.text == "half a thought")
        await save(stays)
        async with client(tmp_path, daemon=with_queue(), chat_id="b") as later:
            await later.rests()
            assert later.composer.text == ""
    assert on_disk(tmp_path) == ["half a thought"]


async def test_a_chat_with_a_draft_that_was_left_is_marked_before_it_is_opened(
    tmp_path: Path,
) -> None:
    LocalStore(tmp_path).keep_draft(Draft("b", "half a thought", HERE))
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.until(lambda: me.app.context.drafts.stored.chats == {"b"})
    assert on_disk(tmp_path) == ["half a thought"]


async def test_a_message_of_a_client_that_runs_is_not_sent_by_another(tmp_path: Path) -> None:
    daemon = with_queue()
    daemon.down = True
    async with client(tmp_path, daemon=daemon, chat_id="b") as one:
        await one.rests()
        await one.write("mine")
        await one.press("enter")
        await one.shows("waiting for the connection")
        async with client(tmp_path, daemon=with_queue(), chat_id="b") as other:
            await other.rests()
            assert (other.view.outgoing, other.daemon.sent) == ((), [])
    async with client(tmp_path, daemon=with_queue(), chat_id="b") as later:
        await later.until(lambda: later.daemon.sent)


async def test_drafts_of_an_earlier_version_are_adopted(tmp_path: Path) -> None:
    folder = tmp_path / "client" / "drafts"
    folder.mkdir(parents=True)
    LocalStore(tmp_path).keep_draft(Draft("b", "x"))
    [path] = folder.iterdir()
    path.unlink()
    name = f"{path.name.partition('.')[0]}.json"
    (folder / name).write_bytes(msgspec.json.encode({"chat": "b", "text": "from before"}))
    async with client(tmp_path, daemon=with_queue(), chat_id="b") as me:
        await me.until(lambda: me.composer.text == "from before")
        await save(me)
        assert on_disk(tmp_path) == ["from before"]
    assert not (folder / name).exists()


async def test_a_draft_that_cannot_be_read_is_put_aside_and_never_overwritten(
    tmp_path: Path,
) -> None:
    LocalStore(tmp_path).keep_draft(Draft("b", "half a thought", HERE))
    [path] = (tmp_path / "client" / "drafts").iterdir()
    path.write_text('{"from the future')
    async with client(tmp_path, daemon=with_queue(), chat_id="b") as me:
        await me.shows("it is kept in", ".unreadable")
        await me.write("new words")
        await save(me)
    assert path.with_name(f"{path.name}.unreadable").read_text() == '{"from the future'
    assert on_disk(tmp_path) == ["new words"]


async def test_a_folder_that_cannot_be_written_shows_what_is_there_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalStore(tmp_path).keep_draft(Draft("b", "half a thought", HERE))

    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(owned_files, "_locked", refuse)
    async with client(tmp_path, daemon=with_queue(), chat_id="b") as me:
        await me.until(lambda: me.composer.text == "half a thought")
        await me.write(" and more")
        await me.app.context.drafts.stored.save()
        await me.shows("Could not keep your draft on disk", "Read-only")
        assert on_disk(tmp_path) == ["half a thought"]
        monkeypatch.undo()
        await save(me)
        assert on_disk(tmp_path) == ["half a thought and more"]


async def test_what_is_sent_while_the_disk_is_full_stays_in_the_draft_until_it_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.rests()
        daemon.down = True
        await me.write("a long question")
        await save(me)

        def full(_store: LocalStore, _unsent: Unsent) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(LocalStore, "keep", full)
        await me.press("enter")
        await me.shows("waiting for the connection")
        await save(me)
        assert (on_disk(tmp_path), me.composer.text) == (["a long question"], "")
        daemon.down = False
        me.app.session.outbox.flush_all()
        await me.until(lambda: daemon.sent and not on_disk(tmp_path))


async def test_words_that_moved_are_saved_in_their_new_place_before_the_old_one_lets_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="b") as me:
        await me.rests()
        stored, keep = me.app.context.drafts.stored, LocalStore.keep_draft
        stored.put("z", "a thought")
        await save(me)

        def full(store: LocalStore, draft: Draft) -> None:
            if draft.chat == "new":
                raise OSError(errno.ENOSPC, "No space left on device")
            keep(store, draft)

        monkeypatch.setattr(LocalStore, "keep_draft", full)
        me.app.context.drafts.move_to_new("z", [])
        await stored.save()
        assert on_disk(tmp_path) == ["a thought"]
        monkeypatch.undo()
        await save(me)
        assert LocalStore(tmp_path).drafts() == [Draft("new", "a thought", HERE)]


class TestOwnedFiles:
    def test_a_file_belongs_to_one_client_until_that_has_ended(self, tmp_path: Path) -> None:
        one, other, aside = OwnedFiles(tmp_path), OwnedFiles(tmp_path), list[str]()
        one.write("a.json", b"1")
        assert (other.claim("*", aside), other.free("*", aside)) == ([], [])
        one.write("a.json", b"2")
        assert other.claim("*", aside) == []
        one.close()
        assert [stored.content for stored in other.free("*", aside)] == [b"2"]
        assert [stored.content for stored in other.claim("*", aside)] == [b"2"]
        assert OwnedFiles(tmp_path).claim("*", aside) == []
        assert aside == []

    def test_a_file_that_somebody_looks_at_can_be_claimed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        OwnedFiles(tmp_path).write("a.json", b"1")
        looking = os.open(tmp_path / "a.json", os.O_RDONLY)
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(time, "sleep", lambda _: os.close(looking))
        assert [one.content for one in OwnedFiles(tmp_path).claim("*", [])] == [b"1"]

    def test_without_locks_of_the_file_system_nothing_is_lost(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(*_: object) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(fcntl, "flock", none)
        one = OwnedFiles(tmp_path)
        one.write("a.json", b"1")
        assert [stored.content for stored in OwnedFiles(tmp_path).claim("*", [])] == [b"1"]

    def test_what_was_written_whole_but_not_renamed_is_not_lost(self, tmp_path: Path) -> None:
        folder = tmp_path / "client" / "outbox"
        folder.mkdir(parents=True)
        whole = msgspec.json.encode(Unsent("k", "words", T0))
        (folder / "k.json.tmp").write_bytes(whole)
        (folder / "l.json.tmp").write_bytes(whole[:-3])
        found = LocalStore(tmp_path).claim_unsent(lambda _: True)
        assert [(one.key, one.content) for one in found] == [("k", "words")]
        assert [path.name for path in folder.iterdir()] == ["k.json"]


def test_edits_of_a_draft_stay_when_its_text_was_sent(tmp_path: Path) -> None:
    ended = LocalStore(tmp_path)
    ended.keep_draft(Draft("b", "sent", HERE, edits="an edit", version=3))
    ended.keep(Unsent("k", "sent", T0, "b", HERE, origin=Origin(ended.draft_name("b"), 3)))
    ended.close()
    store = LocalStore(tmp_path)
    assert [one.text for one in store.left_drafts()] == ["an edit"]
    assert [one.key for one in store.claim_unsent(lambda _: True)] == ["k"]
    store.drop("k")
    assert [one.text for one in store.claim_drafts("b")] == ["an edit"]


async def test_a_save_that_began_before_a_draft_was_adopted_does_not_delete_it(
    tmp_path: Path,
) -> None:
    LocalStore(tmp_path).keep_draft(Draft("b", "left behind", HERE))
    store = LocalStore(tmp_path)
    [left] = await asyncio.to_thread(store.claim_drafts, "b")
    store.keep_draft(Draft("b", "typed ahead", HERE, version=1))
    assert sorted(on_disk(tmp_path)) == ["left behind", "typed ahead"]
    assert store.adopted("b", 2)
    store.keep_draft(Draft("b", f"{left.text} typed ahead", HERE, version=2))
    assert on_disk(tmp_path) == ["left behind typed ahead"]

"""Edited messages: what is dropped, what runs instead, and what a client's stream shows."""

from __future__ import annotations

import pytest

from palaver.client import Refused
from palaver.wire.actions import EditMessage
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.events import CaughtUp, HistoryTruncated, MessageEvent, MessagePartEvent
from palaverd.chatstate.states import State
from palaverd.config.types import WorkerConfig
from palaverd.store.tables import chats
from support.chats import assert_well, events_until, history, plant_member, rests, said
from support.daemon import running_pair

_OFF = WorkerConfig(enabled=False)


async def test_an_edit_replaces_the_message_and_lists_what_was_dropped() -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] first"))
        chat_id = sent.chat.id
        await rests(daemon, client, chat_id)
        await client.send(chat_id, SendMessage(content="[[echo]] second"))
        chat = await rests(daemon, client, chat_id)
        before = (await client.messages(chat_id)).messages[::-1]
        edited = await client.edit_message(
            chat_id, before[2].id, EditMessage("[[echo]] third", chat.versions.history)
        )
        assert [m.id for m in edited.dropped] == [m.id for m in before[2:]]
        assert edited.message is not None
        assert said(edited.message) == "[[echo]] third"
        await rests(daemon, client, chat_id)
        assert await history(client, chat_id) == [
            ("user", "[[echo]] first"),
            ("assistant", "first"),
            ("user", "[[echo]] third"),
            ("assistant", "third"),
        ]
        await assert_well(daemon, chat_id)


async def test_an_edit_in_mid_answer_clears_the_queue_and_ends_the_answer_unsaved() -> None:
    async with running_pair(rate=200) as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[length=5000]] tell me a lot"))
        chat_id = sent.chat.id
        assert sent.message is not None
        for text in ("one", "two"):
            await client.send(chat_id, SendMessage(content=text))
        await events_until(
            client, chat_id, lambda es: any(isinstance(e, MessagePartEvent) for e in es)
        )
        chat = await client.chat(chat_id)
        edited = await client.edit_message(
            chat_id, sent.message.id, EditMessage("[[echo]] short", chat.versions.history)
        )
        assert [m.id for m in edited.dropped] == [sent.message.id]
        assert [q.content for q in edited.dropped_queue] == ["one", "two"]
        assert (edited.chat.queue, edited.chat.status) == ("empty", "running")
        await rests(daemon, client, chat_id)
        assert await history(client, chat_id) == [
            ("user", "[[echo]] short"),
            ("assistant", "short"),
        ]
        await assert_well(daemon, chat_id)


async def test_a_reader_sees_the_old_messages_go_before_the_new_one_comes() -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] old"))
        assert sent.message is not None
        chat_id, message_id = sent.chat.id, sent.message.id
        chat = await rests(daemon, client, chat_id)
        edited = False

        def answered_again(events: list) -> bool:  # type: ignore[type-arg]
            texts = [said(e.message) for e in events if isinstance(e, MessageEvent)]
            return texts[-1:] == ["new"]

        async def edit() -> None:
            await client.edit_message(
                chat_id, message_id, EditMessage("[[echo]] new", chat.versions.history)
            )

        events: list = []  # type: ignore[type-arg]
        stream = client.stream(chat_id)
        async for batch in stream:
            events += batch
            if not edited and any(isinstance(e, CaughtUp) for e in batch):
                edited = True
                await edit()
            if answered_again(events):
                break
        await stream.aclose()
        seen = [
            e.from_id if isinstance(e, HistoryTruncated) else said(e.message)
            for e in events
            if isinstance(e, HistoryTruncated | MessageEvent)
        ]
        assert seen == ["[[echo]] old", "old", sent.message.id, "[[echo]] new", "new"]


async def test_a_repeated_edit_changes_nothing_and_says_again_what_was_dropped() -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] old"))
        assert sent.message is not None
        chat_id = sent.chat.id
        chat = await rests(daemon, client, chat_id)
        edit = EditMessage("[[echo]] new", chat.versions.history)
        first = await client.edit_message(chat_id, sent.message.id, edit, key="k")
        settled = await rests(daemon, client, chat_id)
        again = await client.edit_message(chat_id, sent.message.id, edit, key="k")
        assert (again.repeated, again.dropped) == (True, first.dropped)
        assert again.message == first.message
        assert again.chat.versions == settled.versions
        assert (await client.chat(chat_id)).versions == settled.versions


async def test_an_edit_of_what_has_changed_or_is_no_message_of_a_user_is_refused() -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] old"))
        other = await client.create_chat(CreateChat(content="[[echo]] of another chat"))
        assert sent.message is not None
        assert other.message is not None
        chat_id, dropped = sent.chat.id, sent.message.id
        version = (await rests(daemon, client, chat_id)).versions.history
        anew = EditMessage("[[echo]] said anew", version)
        edited = (await client.edit_message(chat_id, dropped, anew)).message
        assert edited is not None
        chat = await rests(daemon, client, chat_id)
        answer = (await client.messages(chat_id)).messages[0].id
        seen = chat.versions.history
        for message, version, code in [
            (edited.id, seen - 1, "stale_version"),
            (answer, seen, "no_such_message"),
            (dropped, seen, "no_such_message"),
            (other.message.id, seen, "no_such_message"),
            (10**6, seen, "no_such_message"),
        ]:
            with pytest.raises(Refused) as refused:
                await client.edit_message(chat_id, message, EditMessage("new", version))
            assert refused.value.problem.code == code
            assert refused.value.problem.detail.endswith(".")
        assert await client.chat(chat_id) == chat


async def test_an_edit_stops_the_children_that_were_asked_for_after_it() -> None:
    async with running_pair(worker=_OFF) as (daemon, client, _):

        def family(connection):  # type: ignore[no-untyped-def]
            plant_member(connection, State.W, "a")
            for child, state, spawned_by in [
                ("earlier", State.R1, 0),
                ("later", State.R1, 10**6),
                ("resting", State.W, 10**6),
            ]:
                plant_member(connection, state, child, "a")
                connection.execute(
                    chats.update().where(chats.c.id == child).values(spawned_by=spawned_by)
                )

        await daemon.database.write(family)
        chat = await client.chat("a")
        [message] = (await client.messages("a")).messages
        await client.edit_message("a", message.id, EditMessage("new", chat.versions.history))
        found = {child: await client.chat(child) for child in ("earlier", "later", "resting")}
        assert {child: (c.status, c.queue) for child, c in found.items()} == {
            "earlier": ("pending", "free"),
            "later": ("interrupting", "held"),
            "resting": ("waiting", "empty"),
        }
        await assert_well(daemon, "a", *found)

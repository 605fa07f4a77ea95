"""`Database`'s transactions: fences, versions, idempotency keys, and hints after the commit."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Connection

from palaver.clock import SystemClock
from palaver.wire.chats import CreateChat, SendMessage, Sent
from palaver.wire.messages import Text
from palaverd.chatstate.errors import ChatNotFound, FenceLost, KeyReused, QueueFull
from palaverd.chatstate.execution import Fence
from palaverd.store.acquisition import acquire_chats
from palaverd.store.check import violations
from palaverd.store.door import Applied, Door
from palaverd.store.hints import Hint
from palaverd.store.history import NewMessage
from palaverd.store.sync import load_chat, load_page
from palaverd.store.transitions.interrupt import interrupt
from palaverd.store.transitions.queue import delete_queued
from palaverd.store.transitions.turn import commit_response, finish_turn, record_attempt
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat, send_message
from support.engines import Engine
from support.store import context_of, taker

ANSWER = NewMessage(role="assistant", parts=[Text("answer")], finish="stop", episode="1.1")


class Recorder:
    """Records each hint, and whether its change could be read at that moment."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []

    def publish(self, hint: Hint) -> None:
        self.hints.append(hint)


@asynccontextmanager
async def open_door(engine: Engine) -> AsyncIterator[tuple[Door, Recorder]]:
    recorder = Recorder()
    async with engine.database() as database:
        yield Door(database, recorder, SystemClock(), random.Random(1)), recorder


async def new_chat(door: Door, content: str = "hi", key: str | None = None) -> str:
    new = CreateChat(content, title="t")
    return (await create_chat(context_of(door), Asker("ann", key), new)).chat.id


async def acquire_all(door: Door) -> list[Applied[None]]:
    return await door.transact_all(lambda c, now: acquire_chats(c, taker(), door.new_id, now))


async def fence_of(door: Door, chat_id: str) -> Fence:
    row = await door.database.read(lambda c: load_chat(c, chat_id))
    assert row.runner_id is not None
    return Fence(row.runner_id, row.history_version, row.status)


class Drawn(random.Random):
    """Random bits as given, and how many were asked for in each draw."""

    bits = 0

    def __init__(self) -> None:
        super().__init__()
        self.draws: list[int] = []

    def getrandbits(self, k: int) -> int:
        self.draws.append(k)
        return self.bits


async def test_an_id_is_sixty_bits_of_one_draw_each_of_which_counts(engine: Engine) -> None:
    async with open_door(engine) as (door, recorder):
        chance = Drawn()
        made = Door(door.database, recorder, SystemClock(), chance)
        ids = []
        for chance.bits in (0, *(1 << bit for bit in range(60)), (1 << 60) - 1):
            ids.append(made.new_id())
        assert (ids[0], ids[-1], len(set(ids))) == ("0" * 12, "z" * 12, 62)
        assert chance.draws == [60] * 62


async def test_a_transaction_moves_the_snapshot_once_however_many_transitions_share_it(
    engine: Engine,
) -> None:
    async with open_door(engine) as (door, _):
        chat_id = await new_chat(door)
        await acquire_all(door)
        fence = await fence_of(door, chat_id)
        await door.apply(chat_id, lambda c: record_attempt(c, "m"), fence=fence)

        def commit(chat):  # type: ignore[no-untyped-def]
            commit_response(chat, ANSWER)
            finish_turn(chat)

        applied = await door.apply(chat_id, commit, fence=fence)
        row = applied.row
        assert (row.snapshot_version, row.history_version, row.status) == (4, 4, "waiting")
        assert row.generation_attempt == 0
        assert await door.database.read(lambda c: violations(c, chat_id)) == []


async def test_a_late_write_of_an_old_task_is_refused_and_changes_nothing(engine: Engine) -> None:
    async with open_door(engine) as (door, recorder):
        chat_id = await new_chat(door)
        await acquire_all(door)
        stale = await fence_of(door, chat_id)
        await door.apply(chat_id, lambda c: commit_response(c, ANSWER), fence=stale)
        heard = len(recorder.hints)
        with pytest.raises(FenceLost):
            await door.apply(chat_id, lambda c: commit_response(c, ANSWER), fence=stale)
        messages, _ = await door.database.read(lambda c: load_page(c, chat_id))
        assert [m.role for m in messages] == ["assistant", "user"]
        assert len(recorder.hints) == heard


async def test_a_refused_transition_rolls_the_whole_transaction_back(engine: Engine) -> None:
    async with open_door(engine) as (door, recorder):
        chat_id = await new_chat(door)
        for number in range(20):
            await send(door, chat_id, f"m{number}")
        before = await door.database.read(lambda c: load_chat(c, chat_id))
        heard = len(recorder.hints)
        with pytest.raises(QueueFull):
            await send(door, chat_id, "one too many")
        after = await door.database.read(lambda c: load_chat(c, chat_id))
        assert after == before
        assert await door.database.read(lambda c: violations(c, chat_id)) == []
        assert len(recorder.hints) == heard


async def send(door: Door, chat_id: str, text: str, key: str | None = None, **kw: Any) -> Sent:
    message = SendMessage(text, **kw)
    return await send_message(context_of(door), chat_id, Asker("ann", key), message)


async def test_a_hint_is_published_only_after_what_it_says_can_be_read(engine: Engine) -> None:
    async with open_door(engine) as (door, recorder):
        await new_chat(door)
        [hint] = recorder.hints
        assert (hint.status, hint.snapshot_version, hint.ownerless) == ("running", 1, True)
        with pytest.raises(ZeroDivisionError):
            await door.apply(hint.chat_id, lambda chat: 1 // 0)
        assert recorder.hints == [hint]


async def test_a_repeated_key_gets_the_first_answer_and_where_the_message_is_now(
    engine: Engine,
) -> None:
    async with open_door(engine) as (door, _):
        chat_id = await new_chat(door, key="k1")
        assert await new_chat(door, key="k1") == chat_id
        first = await send(door, chat_id, "later", key="k2")
        assert first.queued is not None
        again = await send(door, chat_id, "later", key="k2")
        assert (again.queued, again.repeated) == (first.queued, True)
        # Promoted: the same key now finds it in history.
        await acquire_all(door)
        fence = await fence_of(door, chat_id)

        def finish(chat):  # type: ignore[no-untyped-def]
            commit_response(chat, ANSWER)
            finish_turn(chat)

        await door.apply(chat_id, finish, fence=fence)
        promoted = await send(door, chat_id, "later", key="k2")
        assert promoted.queued is None
        assert promoted.message is not None
        assert promoted.message.parts == [Text("later")]
        assert await door.database.read(lambda c: violations(c, chat_id)) == []


async def test_a_key_of_a_removed_message_says_that_it_is_gone(engine: Engine) -> None:
    async with open_door(engine) as (door, _):
        chat_id = await new_chat(door)
        sent = await send(door, chat_id, "oops", key="k")
        assert sent.queued is not None
        queued_id = sent.queued.id
        removed = await door.apply(chat_id, lambda c: delete_queued(c, queued_id))
        assert removed.result.content == "oops"
        again = await send(door, chat_id, "oops", key="k")
        assert (again.message, again.queued, again.repeated) == (None, None, True)


async def test_a_key_with_other_content_is_refused(engine: Engine) -> None:
    async with open_door(engine) as (door, _):
        chat_id = await new_chat(door, "one", key="k")
        with pytest.raises(KeyReused):
            await new_chat(door, "two", key="k")
        with pytest.raises(KeyReused):
            await send(door, chat_id, "one", key="k")


async def test_a_chat_of_another_owner_is_unknown(engine: Engine) -> None:
    async with open_door(engine) as (door, _):
        chat_id = await new_chat(door)
        with pytest.raises(ChatNotFound):
            await door.apply(chat_id, lambda c: interrupt(c, 1, hold_queue=False), owner="bob")


async def test_a_stop_for_a_turn_that_is_over_never_stops_a_later_one(engine: Engine) -> None:
    async with open_door(engine) as (door, _):
        chat_id = await new_chat(door)
        await acquire_all(door)
        fence = await fence_of(door, chat_id)
        await send(door, chat_id, "next")

        def finish(chat):  # type: ignore[no-untyped-def]
            commit_response(chat, ANSWER)
            finish_turn(chat)

        later = await door.apply(chat_id, finish, fence=fence)
        assert (later.row.status, later.row.turn_version > 1) == ("running", True)
        applied = await door.apply(chat_id, lambda c: interrupt(c, 1, hold_queue=True))
        assert (applied.changed, applied.row.status) == (False, "running")
        assert applied.result == "The turn that this request wanted to stop is over."
        # A message that would interrupt it is queued instead.
        sent = await send(door, chat_id, "stop!", when_busy="interrupt", turn_version=1)
        assert sent.queued is not None
        assert sent.chat.status == "running"


async def test_acquisition_takes_each_chat_once_and_respects_capacity(engine: Engine) -> None:
    async with open_door(engine) as (door, _):
        chats = [await new_chat(door) for _ in range(3)]

        def acquire(connection: Connection, now: int) -> list[Applied[None]]:
            return acquire_chats(connection, taker(max_chats=2), door.new_id, now)

        first = await door.transact_all(acquire)
        taken = [one.row.chat_id for one in first if one.row.runner_id]
        assert [one.row.pending_reason for one in first] == [None, None, "capacity"]
        assert taken == chats[:2]
        assert await door.transact_all(acquire) == []
        # An interruption does not wait for capacity.
        turn = (await door.database.read(lambda c: load_chat(c, chats[2]))).turn_version
        await door.apply(chats[2], lambda c: interrupt(c, turn, hold_queue=False))
        assert [one.row.chat_id for one in await door.transact_all(acquire)] == [chats[2]]

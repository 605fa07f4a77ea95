"""Idempotency keys: when two requests are the same, and what is stored of the first response."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from palaver.wire.actions import Answers, CallAnswer
from palaver.wire.chats import CreateChat, SendMessage, Workspace
from palaverd.chatstate.table import Transition
from palaverd.store.door import NewChat
from palaverd.store.history import NewUserMessage
from palaverd.store.idempotency import Content, request_key
from palaverd.store.sync import load_queue
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat, send_message
from palaverd.usecases.queue import take_back
from store.test_door import open_door
from support.engines import Engine
from support.store import OWNER, context_of

MESSAGE = Content.of(NewUserMessage("hi", "m", "alice", key="not part of it"))
BARE = Content.of(NewUserMessage("hi"))
CHAT = NewChat(
    owner="alice", title="t", labels={"b": "1", "a": "2"}, workspace=Workspace("/w", "h")
)

# Digests that databases contain. If one changed, a newer daemon would refuse a client's retry: its
# key would belong to another request.
STORED = [
    (
        Transition.CREATE,
        [CHAT, MESSAGE],
        "41c1ebbc4c15fd391187e9ed36fb701c1fb622492563678c309390b40bab506f",
    ),
    (
        Transition.SEND,
        ["c", [BARE, False, None, None]],
        "bafe57bead3e8cebc5716237eaf5d25316a48656ce439e8f66731b86e9396435",
    ),
    (
        Transition.EDIT,
        ["c", [3, MESSAGE, 9]],
        "3956bd26752fef30815822b5b62ef46548fb7ad77fbd373c706ff0d253a876c1",
    ),
    (
        Transition.COMPLETE_ACTION,
        ["c", Answers(4, [CallAnswer("one", text="x")])],
        "0d176c4d5ec85ae4f6a12644e405196d6364e29e23af5d2c54b9a9711c8ee48b",
    ),
]


@pytest.mark.parametrize(("operation", "content", "digest"), STORED)
def test_a_request_has_the_digest_that_it_had_in_older_versions(
    operation: Transition, content: object, digest: str
) -> None:
    key = request_key("alice", "k", operation, content)
    assert key is not None
    assert key.digest == digest


KEPT = text(
    "SELECT key, chat_id, operation, digest, revision, message_id, queued_id, removed"
    " FROM idempotency_keys ORDER BY key"
)


async def test_of_an_answer_only_ids_are_kept_and_a_chat_takes_them_with_it(engine: Engine) -> None:
    """Except for what was removed from the queue, and is stored nowhere else."""
    async with open_door(engine) as (door, _):
        context, asker = context_of(door), Asker(OWNER, "k1")
        chat = (await create_chat(context, asker, CreateChat("a long story"))).chat
        await send_message(context, chat.id, Asker(OWNER, "k2"), SendMessage("another one"))
        kept = await door.database.read(lambda c: [tuple(r) for r in c.execute(KEPT)])
        assert [(row[0], row[-1]) for row in kept] == [("k1", None), ("k2", None)]
        assert not any("story" in str(row) or "another" in str(row) for row in kept)
        [removed] = await door.database.read(lambda c: load_queue(c, chat.id))
        for _repeated in range(2):
            taken = await take_back(context, chat.id, Asker(OWNER, "k3"), removed.id)
            assert taken.removed == removed


def test_the_keys_of_a_chat_are_found_without_reading_all(store: Connection) -> None:
    plan = store.execute(
        text("EXPLAIN QUERY PLAN DELETE FROM idempotency_keys WHERE chat_id = 'c'")
    )
    assert [row[-1] for row in plan] == [
        "SEARCH idempotency_keys USING COVERING INDEX idempotency_by_chat (chat_id=?)"
    ]

"""Idempotency keys: what makes two requests the same, also for a key of an older version."""

from __future__ import annotations

import pytest

from palaver.wire.actions import Answers, CallAnswer
from palaver.wire.chats import Workspace
from palaverd.chatstate.table import Transition
from palaverd.store.door import NewChat
from palaverd.store.history import NewUserMessage
from palaverd.store.idempotency import Content, request_key

MESSAGE = Content.of(NewUserMessage("hi", "m", "alice", key="not part of it"))
BARE = Content.of(NewUserMessage("hi"))
CHAT = NewChat(
    owner="alice", title="t", labels={"b": "1", "a": "2"}, workspace=Workspace("/w", "h")
)

# Digests that databases hold. Were one to change, a client that repeats its request to a newer
# daemon would be told that its key belongs to another one.
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
    assert key.fingerprint == digest

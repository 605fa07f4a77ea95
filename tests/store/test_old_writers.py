"""JSON columns written by an older or a newer version are read without an exception."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Connection

from palaver.wire.chats import Chat
from palaverd.chatstate.states import State
from palaverd.store.door import finish
from palaverd.store.history import NewUserMessage
from palaverd.store.locked import lock
from palaverd.store.rows import wire_chat
from palaverd.store.sync import load_chat
from palaverd.store.tables import chats
from palaverd.store.transitions.retry import skip_backoff
from palaverd.store.transitions.send import send
from support.store import NOW, plant

# The stored value, and the message that is read from it.
WRITTEN = [
    ("Too busy.", "Too busy."),
    ('"Too busy."', "Too busy."),
    ("Traceback (most recent call last):\n  ...", "Traceback (most recent call last):\n  ..."),
    ('{"kind": "of a newer program", "message": "Sorry."}', "Sorry."),
    ('{"text": "no message"}', '{"text": "no message"}'),
    ("{cut off", "{cut off"),
    ("null", "null"),
    ("[1, 2]", "[1, 2]"),
    ("17", "17"),
]


@pytest.mark.parametrize(("stored", "sentence"), WRITTEN, ids=[w[0][:20] for w in WRITTEN])
def test_a_plain_error_is_read_as_a_generic_one_and_left_behind_by_a_message(
    store: Connection, stored: str, sentence: str
) -> None:
    with store.begin() as transaction:
        plant(store, State.E0)
        store.execute(chats.update().values(last_error=stored))
        row = load_chat(store, "c")
        assert row.last_error is not None
        assert (row.last_error.kind, row.last_error.message) == ("generic", sentence)
        shown = msgspec.json.decode(msgspec.json.encode(wire_chat(row)), type=Chat)
        assert shown.last_error == row.last_error
        chat = lock(store, "c", NOW)
        send(chat, NewUserMessage("again"))
        assert finish(chat, None).row.last_error is None
        transaction.rollback()


@pytest.mark.parametrize(("stored", "sentence"), WRITTEN, ids=[w[0][:20] for w in WRITTEN])
def test_a_plain_retry_is_read_as_a_wait_that_is_over_and_can_be_skipped(
    store: Connection, stored: str, sentence: str
) -> None:
    with store.begin() as transaction:
        plant(store, State.R1)
        store.execute(chats.update().values(retry=stored))
        row = load_chat(store, "c")
        assert row.retry is not None
        assert row.retry.delay_ms == 0
        assert (row.retry.error.kind, row.retry.error.message) == ("generic", sentence)
        chat = lock(store, "c", NOW)
        assert skip_backoff(chat, row.turn_version, row.retry_version) is None
        assert finish(chat, None).row.retry is None
        transaction.rollback()

"""The chats that commands belong to: who still wants one at the start, and chats that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from palaverd.chatstate.states import Status
from palaverd.pubsub.local import Subscription
from palaverd.store.call_owners import Owner, owners
from palaverd.store.calls import RunState
from palaverd.store.database import Database
from palaverd.tools.commands.records import Record
from palaverd.tools.commands.registry import ARCHIVED, Claim, Commands, Key


async def claims(database: Database, records: Sequence[Record]) -> Mapping[Key, Claim]:
    """Return whether chats still want the commands that an earlier daemon left.

    Raises:
        DatabaseError: nobody knows.
    """
    found = await database.read(lambda c: owners(c, [record.key for record in records]))
    return {record.key: claim(found[record.key], record) for record in records}


def claim(owner: Owner | None, record: Record) -> Claim:
    """Return whether a chat wants a command.

    One in the foreground is wanted while its call is open and its chat is about to run.
    """
    if owner is None:
        return "gone"
    if owner.archived:
        return "unwanted"
    waited_for = owner.state is RunState.STARTED and owner.status == Status.RUNNING
    return "wanted" if record.name is not None or waited_for else "unwanted"


async def end_with_chats(hints: Subscription, commands: Commands) -> None:
    """End the commands of chats that are archived or deleted, until cancelled."""
    while True:
        await hints.wait()
        for hint in hints.take():
            if hint.deleted:
                commands.delete_chat(hint.chat_id)
            elif hint.archived:
                commands.end_chat(hint.chat_id, ARCHIVED)

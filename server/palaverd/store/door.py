"""The door: lock a chat, check the fence, apply transitions, publish a hint after the commit.

Nothing else writes execution state.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from palaver.clock import Clock
from palaver.wire.chats import ClientTool, Mode, Workspace
from palaverd.chatstate.errors import FenceLost
from palaverd.chatstate.execution import Fence
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import Transition
from palaverd.crashpoints import Reached, never
from palaverd.metrics import Metrics
from palaverd.store import codec
from palaverd.store.database import Database
from palaverd.store.hints import Hint, commit_hint
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow
from palaverd.store.transitions.ownership import release_at_rest

T = TypeVar("T")

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
ID_LENGTH = 12  # 60 bits: a billion chats collide with a chance of one in two


class Publisher(Protocol):
    """The receiver of hints. Called on the event loop, after the commit."""

    def publish(self, hint: Hint) -> None:
        """Send a hint to all subscribers; must neither raise nor block."""


class Applied(msgspec.Struct, Generic[T], frozen=True):
    """The result of a transaction, and the row as committed."""

    result: T
    row: ChatRow
    changed: bool
    deleted: bool = False
    transitions: tuple[Transition, ...] = ()
    also: tuple[Applied[None], ...] = ()


class NewChat(msgspec.Struct, frozen=True):
    """The properties of a new chat."""

    owner: str
    title: str
    title_by_person: bool = False
    system_prompt: str | None = None
    model: str | None = None
    labels: dict[str, str] = {}
    client_type: str = "api"
    workspace: Workspace | None = None


class ChatTools(msgspec.Struct, frozen=True):
    """What a chat's tools may do, and those that its client runs.

    Not part of `NewChat`: that is in the digests of stored requests.
    """

    mode: Mode = "read-only"
    client_tools: list[ClientTool] = []


class Door:
    """Applies transitions. Every method is one transaction."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        clock: Clock,
        chance: random.Random,
        reached: Reached = never,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self.database = database
        self._publisher = publisher
        self._clock = clock
        self._chance = chance
        self._reached = reached

    def new_id(self) -> str:
        """Return a new id for a chat or a runner: 60 random bits in base 32."""
        # In one draw: of the system's random numbers each costs a system call.
        bits = self._chance.getrandbits(5 * ID_LENGTH)
        return "".join([_ALPHABET[bits >> at & 31] for at in range(0, 5 * ID_LENGTH, 5)])

    def now_ms(self) -> int:
        """Return the wall-clock time in milliseconds since the epoch."""
        return codec.to_ms(self._clock.now())

    async def apply(
        self,
        chat_id: str,
        work: Callable[[LockedChat], T],
        *,
        owner: str | None = None,
        fence: Fence | None = None,
    ) -> Applied[T]:
        """Lock a chat and let `work` apply transitions to it.

        Args:
            owner: raise ChatNotFound unless the chat is this owner's; None for the worker.
            fence: the fence of a worker's task. If its work is done, the chat is released with it.

        Raises:
            ChatNotFound: there is no such chat, or it is another owner's.
            FenceLost: the row no longer matches the fence.
            TransitionError: the transition is refused; nothing was changed.
            DatabaseError: the database failed; nothing was changed.
        """
        now = self.now_ms()

        def transaction(connection: Connection) -> Applied[T]:
            chat = lock(connection, chat_id, now, owner)
            check_fence(chat.row, fence)
            result = work(chat)
            if fence is not None:
                release_at_rest(chat)
            return finish(chat, result)

        return await self._write(transaction)

    async def transact(self, work: Callable[[Connection, int], Applied[T]]) -> Applied[T]:
        """Run `work`, which locks or creates its chat itself, with the time in milliseconds."""
        now = self.now_ms()
        return await self._write(lambda connection: work(connection, now))

    async def transact_all(
        self, work: Callable[[Connection, int], list[Applied[T]]]
    ) -> list[Applied[T]]:
        """Run `work` over several chats in one transaction."""
        now = self.now_ms()

        def transaction(connection: Connection) -> list[Applied[T]]:
            applied = work(connection, now)
            for one in applied:
                self._reached("before", one.transitions)
            return applied

        def publish(applied: list[Applied[T]]) -> None:
            for one in applied:
                self._publish(one)

        return await self.database.write(transaction, committed=publish)

    async def _write(self, work: Callable[[Connection], Applied[T]]) -> Applied[T]:
        def transaction(connection: Connection) -> Applied[T]:
            applied = work(connection)
            self._reached("before", applied.transitions)
            return applied

        began = self._clock.monotonic()

        def committed(applied: Applied[T]) -> None:
            # Before publishing, which may cancel the caller.
            if applied.transitions:
                # The first one was requested; the others follow from it.
                took = self._clock.monotonic() - began
                self._metrics.transitions.add(took, applied.transitions[0].value)
            self._publish(applied)

        return await self.database.write(transaction, committed=committed)

    def _publish(self, applied: Applied[Any]) -> None:
        self._reached("after", applied.transitions)
        if applied.changed:
            self._publisher.publish(commit_hint(applied.row, deleted=applied.deleted))
        for other in applied.also:
            self._publish(other)


def finish(chat: LockedChat, result: T) -> Applied[T]:
    """Write the drafts of a locked chat and of the others that changed with it."""
    if chat.changed:
        chat.flush()
    return Applied(
        result=result,
        row=chat.row,
        changed=chat.changed,
        deleted=chat.deleted,
        transitions=tuple(chat.applied),
        also=tuple(finish(other, None) for other in chat.others),
    )


def check_fence(row: ChatRow, fence: Fence | None) -> None:
    """Check that a worker's transaction is for the current state of the chat.

    Raises:
        FenceLost: the row no longer matches.
    """
    if fence is not None and not fence.holds(row):
        raise FenceLost(
            row.chat_id,
            f"runner {fence.runner_id}, history {fence.history_version}, {fence.status}",
            f"runner {row.runner_id}, history {row.history_version}, {row.status}",
        )


def fresh_chat(
    connection: Connection,
    chat_id: str,
    new: NewChat,
    now: int,
    tools: ChatTools | None = None,
) -> LockedChat:
    """Return the draft of a new chat; `create` or `fork` sets its state."""
    row = ChatRow(
        chat_id=chat_id,
        owner=new.owner,
        parent_id=None,
        root_id=chat_id,
        title=new.title,
        title_by_person=new.title_by_person,
        system_prompt=new.system_prompt,
        model=new.model,
        labels=new.labels,
        pin_order=None,
        client_type=new.client_type,
        workspace_host=new.workspace.host if new.workspace else None,
        workspace_path=new.workspace.path if new.workspace else None,
        mode=(tools or ChatTools()).mode,
        client_tools=(tools or ChatTools()).client_tools,
        archiving=None,
        spawned_by=None,
        created_at=now,
        updated_at=now,
        context_tokens=None,
        context_limit=None,
        status=Status.WAITING.value,
        archived=False,
        queue_held=False,
        queue_length=0,
        worker_id=None,
        runner_id=None,
        pending_reason=None,
        pending_since=None,
        last_error=None,
        retry=None,
        asks=None,
        resume_at=None,
        compaction_requested_at=None,
        waiting_for_children=False,
        snapshot_version=0,
        history_version=0,
        turn_version=0,
        queue_version=0,
        retry_version=0,
        news_version=0,
        read_version=0,
        generation_attempt=0,
        turn_steps=0,
    )
    return LockedChat(connection, row, now, fresh=True)

"""Publish and subscribe to hints within one process.

A subscription keeps the newest hint of each chat: a hint is only a reason to read the row, so an
older unread one has no value beside a newer one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from palaver.clock import Clock, wait_until
from palaverd.store.hints import Hint


class Subscription:
    """The hints that arrived since the last `take`.

    `arrived` may be an event that is set by others as well, to wait for several sources at once.
    """

    def __init__(self, arrived: asyncio.Event | None = None) -> None:
        self._newest: dict[str, Hint] = {}
        self._arrived = arrived if arrived is not None else asyncio.Event()

    def put(self, hint: Hint) -> None:
        """Keep a hint, unless there is a newer one of the same chat."""
        known = self._newest.get(hint.chat_id)
        if known is None or known.snapshot_version <= hint.snapshot_version or hint.deleted:
            self._newest[hint.chat_id] = hint
        self._arrived.set()

    def newest(self, chat_id: str) -> Hint | None:
        """Return the hint of a chat, without taking it."""
        return self._newest.get(chat_id)

    @property
    def waiting(self) -> bool:
        """Return whether there are hints to take."""
        return bool(self._newest)

    def wake(self) -> None:
        """Wake the waiting task without a hint."""
        self._arrived.set()

    def take(self) -> list[Hint]:
        """Return the hints and clear them."""
        taken = list(self._newest.values())
        self._newest.clear()
        self._arrived.clear()
        return taken

    async def wait(self) -> None:
        """Wait for a hint or `wake`."""
        await self._arrived.wait()

    async def wait_until(self, condition: Callable[[], bool], clock: Clock, seconds: float) -> bool:
        """Wait until `condition` holds, at most `seconds`; return whether it holds.

        It is checked after each hint and each `wake`.
        """
        return await wait_until(condition, self._arrived, clock, seconds)


@contextmanager
def _listen(
    topics: dict[str, set[Subscription]], name: str, arrived: asyncio.Event | None = None
) -> Iterator[Subscription]:
    subscription = Subscription(arrived)
    topics.setdefault(name, set()).add(subscription)
    try:
        yield subscription
    finally:
        topics[name].discard(subscription)
        if not topics[name]:
            del topics[name]


class LocalHub:
    """Publishes hints to the subscribers of a chat, of an owner, or of everything."""

    def __init__(self) -> None:
        self._by_chat: dict[str, set[Subscription]] = {}
        self._by_owner: dict[str, set[Subscription]] = {}
        self._all: set[Subscription] = set()
        self._published: dict[str, int] = {}  # the newest snapshot of a chat with subscribers
        # The same for all chats of an owner with subscribers, if these said where they begin.
        self._listed: dict[str, dict[str, int]] = {}
        self.config_version = 0

    def publish(self, hint: Hint) -> None:
        """Send a hint to its subscribers. Never blocks."""
        if hint.chat_id in self._by_chat:
            known = self._published.get(hint.chat_id, 0)
            self._published[hint.chat_id] = max(known, hint.snapshot_version)
        if (listed := self._listed.get(hint.owner)) is not None:
            if hint.deleted:
                listed.pop(hint.chat_id, None)
            else:
                known = listed.get(hint.chat_id, 0)
                listed[hint.chat_id] = max(known, hint.snapshot_version)
        for listeners in (
            self._by_chat.get(hint.chat_id, ()),
            self._by_owner.get(hint.owner, ()),
            self._all,
        ):
            for subscription in listeners:
                subscription.put(hint)

    def published(self) -> dict[str, int]:
        """Return the chats with subscribers, and the newest snapshot published of each.

        It is 0 if there was none since the chat has subscribers.
        """
        self._published = {chat: self._published.get(chat, 0) for chat in self._by_chat}
        return dict(self._published)

    def list_from(self, owner: str, versions: dict[str, int]) -> None:
        """Begin `listed` of an owner with subscribers, with the versions of all its chats.

        Does nothing if it has begun: these versions are older than what was published since.
        """
        if owner in self._by_owner:
            self._listed.setdefault(owner, versions)

    def is_listed(self, owner: str) -> bool:
        """Return whether `listed` has an owner."""
        return owner in self._listed

    def listed(self) -> dict[str, dict[str, int]]:
        """Return for owners with subscribers the newest snapshot published of each of its chats.

        The dictionaries change as hints are published.
        """
        return dict(self._listed)

    def publish_config(self) -> None:
        """Wake the subscribers of owners after the configuration was read; see `config_version`."""
        self.config_version += 1
        for listeners in self._by_owner.values():
            for subscription in listeners:
                subscription.wake()

    def chat(
        self, chat_id: str, arrived: asyncio.Event | None = None
    ) -> AbstractContextManager[Subscription]:
        """Subscribe to one chat within a `with` block."""
        return _listen(self._by_chat, chat_id, arrived)

    @contextmanager
    def owner(self, owner: str) -> Iterator[Subscription]:
        """Subscribe to one owner's chats within a `with` block."""
        with _listen(self._by_owner, owner) as subscription:
            try:
                yield subscription
            finally:
                if len(self._by_owner[owner]) == 1:  # this one
                    self._listed.pop(owner, None)

    @contextmanager
    def everything(self) -> Iterator[Subscription]:
        """Subscribe to all chats within a `with` block."""
        subscription = Subscription()
        self._all.add(subscription)
        try:
            yield subscription
        finally:
            self._all.discard(subscription)

    @property
    def subscriptions(self) -> int:
        """The number of subscriptions, for tests and metrics."""
        listeners = [*self._by_chat.values(), *self._by_owner.values(), self._all]
        return sum(len(each) for each in listeners)

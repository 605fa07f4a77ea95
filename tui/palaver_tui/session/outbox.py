"""Messages on their way: kept on disk, sent in order, once, and again when there was no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from palaver.client import PalaverError, Refused, Unauthenticated
from palaver.wire.chats import CreateChat, SendMessage, Sent
from palaver_tui.session.store import NO_CHAT, Chats, Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.chat import DRAFT, ChatView, Outgoing
from palaver_tui.state.outgoing import acknowledged, marked, sending, without
from palaver_tui.storage.local_store import LocalStore, UnreadableError, Unsent
from palaver_tui.timing import RESEND_AFTER_S


class Outbox:
    """Sends what is outgoing in the session's views."""

    def __init__(
        self,
        store: Store,
        chats: Chats,
        disk: LocalStore,
        spawn: Spawn,
    ) -> None:
        self._store = store
        self._chats = chats
        self._disk = disk
        self._spawn = spawn
        self._busy: set[str] = set()  # names of chats that are being sent to
        self._kept: dict[str, asyncio.Task[Unsent]] = {}  # what writes a message to disk, by key
        self._taken_back: set[str] = set()  # keys of messages that are not to be sent any more

    @property
    def unsent(self) -> int:
        """How many messages are not with the daemon."""
        views = self._store.views.values()
        return sum(item.state != "refused" for view in views for item in view.outgoing)

    async def load(self) -> None:
        """Put messages that an earlier client could not send where they belong.

        To be called when the daemon is known: those for another one stay where they are.
        """
        endpoint = self._store.endpoint
        views = self._store.views
        for unsent in await self._stored():
            if unsent.server not in {None, str(endpoint)}:
                continue
            name = unsent.chat_id or f"{DRAFT}{unsent.key}"
            view = views.get(name) or ChatView(unsent.chat_id, older=unsent.chat_id is not None)
            if all(unsent.key not in _keys(other) for other in views.values()):
                views[name] = sending(view, unsent.outgoing())

    async def _stored(self) -> list[Unsent]:
        try:
            return await asyncio.to_thread(self._disk.unsent)
        except UnreadableError as error:
            found: list[Unsent] = error.found
            self._store.notice(f"Could not read some of your messages: {error}.", "warning")
            return found
        except OSError as error:
            self._store.notice(f"Could not read your messages: {error}.", "warning")
            return []

    def send(self, name: str, item: Outgoing) -> None:
        """Show `item` in a chat and send it."""
        views = self._store.views
        views[name] = sending(views[name], item)
        # At once, and not when its turn comes: those before it may wait for a connection.
        kept = self._unsent(views[name], item)
        self._kept[item.key] = asyncio.create_task(self._keep(kept))
        self.flush(name)

    def flush_all(self) -> None:
        """There is a connection: send everything that waits."""
        for name, view in list(self._store.views.items()):
            if _waits(view):
                self.flush(name)

    def flush(self, name: str) -> None:
        """Send what is outgoing in one chat, unless that is under way."""
        if name not in self._busy:
            self._busy.add(name)
            self._spawn(self._send_all(name))

    async def _send_all(self, name: str) -> None:
        """Send in order, until all is out or there is no answer."""
        views = self._store.views
        try:
            while name in views and (item := _next_out(views[name])) is not None:
                try:
                    sent = await self._deliver(name, item)
                except Unauthenticated:
                    # Of this message nothing is wrong: it goes out when we are let in again.
                    self._all_wait(name)
                    return
                except Refused as refused:
                    if refused.problem.code == NO_CHAT and name in views:
                        # Nobody could take it back from a chat that is in no list.
                        self._store.notice(f"A message was not sent: {refused}", "error")
                        self._chats.drop(name, views[name].title)
                        return
                    # It stays on disk too, until the person takes it back.
                    if name in views:
                        views[name] = marked(views[name], item.key, "refused", str(refused))
                    if name != self._store.current:
                        self._store.notice(f"A message was not sent: {refused}", "error")
                except PalaverError:
                    # No answer: the same key makes it safe to send again when there is one.
                    self._all_wait(name)
                    self._spawn(self._again(name))
                    return
                except Exception:
                    self._all_wait(name)
                    raise
                else:
                    if sent is None:
                        continue  # it was taken back
                    await self._forget(item.key)
                    name = self._delivered(name, item, sent)
        finally:
            self._busy.discard(name)
            self._store.changed()

    async def _again(self, name: str) -> None:
        """Send what waits in a chat, if there is a connection after all: nothing else would."""
        store = self._store
        await store.clock.sleep(RESEND_AFTER_S)
        view = store.views.get(name)
        if store.connection.phase == "live" and view is not None and _waits(view):
            self.flush(name)

    async def _deliver(self, name: str, item: Outgoing) -> Sent | None:
        """Send one message, as the first one of a new chat if there is none yet.

        Returns None for one that was taken back before it was sent.
        """
        task = self._kept.get(item.key)
        before = await task if task is not None else None
        view = self._store.views.get(name)
        if view is None or item.key in self._taken_back:
            return None
        kept = self._unsent(view, item)
        if kept != before:  # which daemon and which chat it is for may be known only now
            self._kept[item.key] = asyncio.create_task(self._keep(kept))
            await self._kept[item.key]
        client = self._store.client
        if client is None:
            raise PalaverError("There is no daemon yet.")
        if view.chat_id is None:
            request = CreateChat(item.content, model=item.model)
            return await client.create_chat(request, key=item.key)
        message = SendMessage(
            item.content,
            when_busy="queue" if item.interrupts is None else "interrupt",
            model=item.model,
            turn_version=item.interrupts,
            position=item.position,
        )
        return await client.send(view.chat_id, message, key=item.key)

    def _unsent(self, view: ChatView, item: Outgoing) -> Unsent:
        server = self._store.address
        return Unsent(item.key, item.content, item.created_at, view.chat_id, server, item.model)

    async def _keep(self, kept: Unsent) -> Unsent:
        await self._on_disk(self._disk.keep, kept)
        return kept

    async def _on_disk(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run `work` in a thread; a disk that fails is a notice, and the message goes out."""
        try:
            return await asyncio.to_thread(work, *arguments)
        except OSError as error:
            self._store.notice(f"Could not keep your message on disk: {error}.", "warning")
            return None

    def _all_wait(self, name: str) -> None:
        view = self._store.views.get(name)
        if view is None:
            return  # its chat is gone; on disk it stays
        for item in view.outgoing:
            if item.state == "sending":
                view = marked(view, item.key, "waiting")
        self._store.views[name] = view

    def _delivered(self, name: str, item: Outgoing, sent: Sent) -> str:
        """Put the answer into the view; a draft becomes the chat it asked for."""
        store = self._store
        if name not in store.views:
            return name
        view = acknowledged(store.views[name], item.key, sent)
        if view.chat_id is not None:
            store.views[name] = view
            return name
        self._busy.discard(name)
        self._busy.add(sent.chat.id)
        self._chats.rename(name, view, sent.chat)
        return sent.chat.id

    def arrived(self, before: ChatView, after: ChatView) -> None:
        """Forget what the stream showed to be with the daemon: its answer may never come."""
        for key in _keys(before) - _keys(after):
            self._spawn(self._forget(key))

    def take_back(self, name: str, key: str) -> str:
        """Remove a message that was refused, or waits, and return its content."""
        view = self._store.views[name]
        item = next((item for item in view.outgoing if item.key == key), None)
        if item is None:
            return ""
        self._taken_back.add(key)
        self._store.views[name] = without(view, key)
        self._spawn(self._forget(key))
        return item.content

    def take_all_back(self, name: str) -> list[str]:
        """Remove everything that is not with the daemon from a chat, and return it."""
        view = self._store.views.get(name)
        return [self.take_back(name, item.key) for item in view.outgoing] if view else []

    async def _forget(self, key: str) -> None:
        if (task := self._kept.pop(key, None)) is not None:
            await task  # or else it could be written after it was dropped
        await self._on_disk(self._disk.drop, key)


def _waits(view: ChatView) -> bool:
    return any(item.state == "waiting" for item in view.outgoing)


def _keys(view: ChatView) -> set[str]:
    return {item.key for item in view.outgoing}


def _next_out(view: ChatView) -> Outgoing | None:
    return next((item for item in view.outgoing if item.state != "refused"), None)

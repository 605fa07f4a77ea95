"""The outbox: stores messages on disk, sends them in order, resends those without a response.

They are resent with the same idempotency key, so that the daemon applies each once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from palaver.client import PalaverError, Refused, Unauthenticated, Unreachable
from palaver.wire.chats import CreateChat, SendMessage, Sent, WhenBusy
from palaver.workspaces import WantedWorkspace
from palaver_tui.session.store import NO_CHAT, Chats, Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.chat import DRAFT, ChatView, Outgoing
from palaver_tui.state.outgoing import acknowledged, marked, perhaps_arrived, sending, without
from palaver_tui.storage.drafts import NEW, Drafts
from palaver_tui.storage.local_store import LocalStore, Origin, UnreadableError, Unsent
from palaver_tui.timing import RESEND_AFTER_S


class NoDaemonError(PalaverError):
    """Nothing could be sent: no daemon is known yet."""


class Outbox:
    """Sends the outgoing messages of the session's views."""

    def __init__(
        self,
        store: Store,
        chats: Chats,
        disk: LocalStore,
        spawn: Spawn,
        drafts: Drafts,
        workspace: WantedWorkspace,
    ) -> None:
        self._store = store
        self._chats = chats
        self._disk = disk
        self._spawn = spawn
        self._drafts = drafts
        self._workspace = workspace
        self._claimed: list[Unsent] = []  # messages of ended clients that are in no view yet
        self._origins: dict[str, Origin] = {}  # where the words of messages were, by key
        self._busy: set[str] = set()  # names of chats that messages are being sent to
        self._kept: dict[str, asyncio.Task[Unsent]] = {}  # tasks that store messages, by key
        self._taken_back: set[str] = set()  # keys of messages that the user has taken back

    @property
    def unsent(self) -> int:
        """The number of messages that the daemon does not have, without refused ones."""
        views = self._store.views.values()
        return sum(item.state != "refused" for view in views for item in view.outgoing)

    async def load(self) -> None:
        """Load unsent messages of earlier clients from disk into the views of their chats.

        Called when the daemon is known: messages for another daemon stay on disk.
        """
        views = self._store.views
        self._claimed += await self._left()
        while self._claimed:  # what is left of an attempt that failed, too
            unsent = self._claimed[0]
            self._origins[unsent.key] = unsent.origin
            name = unsent.chat_id or f"{DRAFT}{unsent.key}"
            view = views.get(name) or ChatView(unsent.chat_id, older=unsent.chat_id is not None)
            if all(unsent.key not in _keys(other) for other in views.values()):
                # Before an attempt, the daemon that it is for is stored with it.
                tried = unsent.server is not None
                views[name] = sending(view, replace(unsent.outgoing(), may_have_arrived=tried))
            del self._claimed[0]

    async def _left(self) -> list[Unsent]:
        server = self._store.address
        try:
            return await asyncio.to_thread(
                self._disk.claim_unsent, lambda unsent: unsent.server in {None, server}
            )
        except UnreadableError as error:
            found: list[Unsent] = error.found
            self._store.notice(f"Could not read some of your messages: {error}.", "warning")
            return found
        except OSError as error:
            self._store.notice(f"Could not read your messages: {error}.", "warning")
            return []

    def send(self, name: str, item: Outgoing) -> None:
        """Show `item` in a chat, store it on disk, and send it."""
        views = self._store.views
        if views[name].chat_id is None:
            item = replace(item, workspace=self._workspace)
        views[name] = sending(views[name], item)
        self._origins[item.key] = self._drafts.send(name, item.key)
        # Stored now, not when it is sent: earlier messages may wait for a connection.
        kept = self._unsent(views[name], item)
        self._kept[item.key] = asyncio.create_task(self._keep_first(name, kept))
        self.flush(name)

    def flush_all(self) -> None:
        """Send all waiting messages, now that there is a connection."""
        for name, view in list(self._store.views.items()):
            if _waits(view):
                self.flush(name)

    def flush(self, name: str) -> None:
        """Send the outgoing messages of a chat, unless they are being sent."""
        if name not in self._busy:
            self._busy.add(name)
            self._spawn(self._send_all(name))

    async def _send_all(self, name: str) -> None:
        """Send a chat's messages in order, until all are sent or there is no response."""
        views = self._store.views
        try:
            while name in views and (item := _next_out(views[name])) is not None:
                # Again "sending" if it had to wait: it cannot be taken back from now on.
                views[name] = marked(views[name], item.key, "sending")
                self._store.changed()
                try:
                    sent = await self._deliver(name, item)
                except Unauthenticated:
                    # Nothing is wrong with the message: it is sent once the token is accepted.
                    self._all_wait(name)
                    return
                except Refused as refused:
                    if refused.problem.code == NO_CHAT and name in views:
                        # The user could not take it back from a chat that does not exist.
                        self._store.notice(f"A message was not sent: {refused}", "error")
                        self._chats.drop(name, views[name].title)
                        return
                    # It also stays on disk, until the user takes it back.
                    if name in views:
                        views[name] = marked(views[name], item.key, "refused", str(refused))
                    if name != self._store.current:
                        self._store.notice(f"A message was not sent: {refused}", "error")
                        self._chats.left(name)
                except PalaverError as error:
                    # No response: with the same key it is safe to send it again.
                    if not _never_sent(error):
                        self._perhaps_arrived(name, item)
                    self._all_wait(name)
                    self._spawn(self._again(name))
                    return
                except Exception:
                    self._perhaps_arrived(name, item)
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
        """Resend a chat's waiting messages after a pause, if there is a connection.

        Without one, they are sent by `flush_all` when there is.
        """
        store = self._store
        await store.clock.sleep(RESEND_AFTER_S)
        view = store.views.get(name)
        if store.connection.phase == "live" and view is not None and _waits(view):
            self.flush(name)

    async def _deliver(self, name: str, item: Outgoing) -> Sent | None:
        """Send a message; if its chat does not exist yet, create the chat with it.

        Returns the response, None if the message was taken back before it was sent.
        """
        task = self._kept.get(item.key)
        before = await task if task is not None else None
        view = self._store.views.get(name)
        if view is None or item.key in self._taken_back:
            return None
        kept = self._unsent(view, item)
        if kept != before:  # its daemon and its chat may be known only now
            self._kept[item.key] = asyncio.create_task(self._keep(kept))
            await self._kept[item.key]
        client = self._store.client
        if client is None:
            raise NoDaemonError("There is no daemon yet.")
        if view.chat_id is None:
            # The same for a repeated request, also of another client: the key is for one content.
            workspace = item.workspace.of(await client.meet())
            request = CreateChat(item.content, model=item.model, workspace=workspace)
            return await client.create_chat(request, key=item.key)
        message = SendMessage(
            item.content,
            when_busy=_when_busy(item),
            model=item.model,
            turn_version=item.interrupts if item.steers is None else item.steers,
            position=item.position,
        )
        return await client.send(view.chat_id, message, key=item.key)

    def _unsent(self, view: ChatView, item: Outgoing) -> Unsent:
        server = self._store.address
        origin = self._origins.get(item.key, Origin())
        return Unsent(
            item.key,
            item.content,
            item.created_at,
            view.chat_id,
            server,
            item.model,
            origin,
            item.workspace,
        )

    async def _keep_first(self, name: str, kept: Unsent) -> Unsent:
        """Store a message; its words leave the draft on disk when it is stored."""
        is_stored = False
        try:
            is_stored = await self._on_disk(self._disk.keep, kept)
        finally:
            if is_stored:
                self._drafts.stored(kept.key)
            else:
                self._drafts.not_stored(name, kept.key, kept.content)
        return kept

    async def _keep(self, kept: Unsent) -> Unsent:
        if await self._on_disk(self._disk.keep, kept):
            self._drafts.sent(kept.key)
        return kept

    async def _on_disk(self, work: Callable[..., Any], *arguments: Any) -> bool:
        """Run `work` in a thread; if the disk fails, show a notice, and send the message anyway."""
        try:
            await asyncio.to_thread(work, *arguments)
        except OSError as error:
            self._store.notice(f"Could not keep your message on disk: {error}.", "warning")
            return False
        return True

    def _perhaps_arrived(self, name: str, item: Outgoing) -> None:
        if name in self._store.views:
            self._store.views[name] = perhaps_arrived(self._store.views[name], item.key)

    def _all_wait(self, name: str) -> None:
        view = self._store.views.get(name)
        if view is None:
            return  # its chat is gone; the message stays on disk
        for item in view.outgoing:
            if item.state == "sending":
                view = marked(view, item.key, "waiting")
        self._store.views[name] = view

    def _delivered(self, name: str, item: Outgoing, sent: Sent) -> str:
        """Apply a response to the view; return the chat's name, which changes for a new chat."""
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
        """Delete from disk the messages that the stream has shown: their response may be lost."""
        for key in _keys(before) - _keys(after):
            self._spawn(self._forget(key))

    def take_back(self, name: str, key: str) -> str:
        """Remove a refused or waiting message, and return its content for the draft of its chat.

        It stays on disk until that is saved. Note the draft before anything is awaited.
        """
        content = self._remove(name, key)
        self._drafts.take_back(name, key)
        self._spawn(self._forget_when_drafted([key]))
        return content

    def take_all_back(self, name: str) -> list[str]:
        """Remove all outgoing messages of a chat, and return their contents for a new chat's draft.

        They stay on disk until that is saved.
        """
        view = self._store.views.get(name)
        if view is None or not view.outgoing:
            return []
        keys = [item.key for item in view.outgoing]
        for key in keys:
            self._drafts.take_back(NEW, key)
        self._spawn(self._forget_when_drafted(keys))
        return [self._remove(name, key) for key in keys]

    def _remove(self, name: str, key: str) -> str:
        view = self._store.views[name]
        item = next((item for item in view.outgoing if item.key == key), None)
        if item is None:
            return ""
        self._taken_back.add(key)
        self._store.views[name] = without(view, key)
        return item.content

    async def _forget_when_drafted(self, keys: list[str]) -> None:
        if await self._drafts.are_saved():
            for key in keys:
                await self._drop(key)

    async def _forget(self, key: str) -> None:
        """Delete a message that the daemon has, after the draft in which it was written.

        If that cannot be saved, the message stays, too: the next client sends it again, which
        changes nothing, and knows by it that the draft was sent.
        """
        self._drafts.sent(key)
        if await self._drafts.are_saved():
            await self._drop(key)

    async def _drop(self, key: str) -> None:
        if (task := self._kept.pop(key, None)) is not None:
            await task  # else it could be written after it was deleted
        if await self._on_disk(self._disk.drop, key):
            self._drafts.forget(key)
            self._origins.pop(key, None)


def _when_busy(item: Outgoing) -> WhenBusy:
    if item.steers is not None:
        return "steer"
    return "queue" if item.interrupts is None else "interrupt"


def _never_sent(error: PalaverError) -> bool:
    unconnected = isinstance(error, Unreachable) and error.never_sent
    return unconnected or isinstance(error, NoDaemonError)


def _waits(view: ChatView) -> bool:
    return any(item.state == "waiting" for item in view.outgoing)


def _keys(view: ChatView) -> set[str]:
    return {item.key for item in view.outgoing}


def _next_out(view: ChatView) -> Outgoing | None:
    return next((item for item in view.outgoing if item.state != "refused"), None)

"""The session with a daemon: connects, follows the streams, and contains the other parts.

Every event goes through the reducers into views; then `changed` is called, and the painter reads
the views. A `Session` does not use the screen, and is used from one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace

from palaver.client import (
    Connected,
    ConnectionLost,
    Endpoint,
    Incompatible,
    PalaverError,
    Refused,
    Unauthenticated,
)
from palaver.clock import Clock
from palaver.wire.chats import Chat
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    ChatDeleted,
    ConfigChanged,
    ListError,
    ListSnapshot,
    WatchEvent,
)
from palaver.workspaces import NO_WORKSPACE, WantedWorkspace
from palaver_tui.session.chat_pages import ChatPages
from palaver_tui.session.list_search import ListSearch
from palaver_tui.session.message_pages import MessagePages
from palaver_tui.session.outbox import Outbox
from palaver_tui.session.read_reports import ReadReports
from palaver_tui.session.requests import Requests
from palaver_tui.session.restarts import Restarts
from palaver_tui.session.setup import Setup, SetupTools
from palaver_tui.session.store import Severity, Store
from palaver_tui.session.tasks import Tasks, report_bug
from palaver_tui.session.visit import Visits
from palaver_tui.state.chat import DRAFT, ChatView, Outgoing, unread
from palaver_tui.state.chat_list import reduce_list
from palaver_tui.state.connection import Connection, connection_after, offline
from palaver_tui.state.live import Now, live_state
from palaver_tui.state.message_window import at_the_end
from palaver_tui.state.outgoing import landing
from palaver_tui.state.primary_action import Primary, primary
from palaver_tui.state.reduce import reduce_all, user_text
from palaver_tui.storage.drafts import Drafts
from palaver_tui.storage.local_store import LocalStore
from palaver_tui.timing import BARRED_S, CACHED_CHATS, LOADS, RELAUNCH_AFTER_S

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.remote.servers import Server

Connect = Callable[[], Awaitable[Endpoint]]


class Session(Store):
    """The state of one daemon's chats in the client, and what the client does with the daemon."""

    def __init__(
        self,
        connect: Connect,
        *,
        clock: Clock,
        random: Random,
        changed: Callable[[], None],
        notice: Callable[[str, Severity], None],
        gone: Callable[[str, str, list[str]], str | None],
        created: Callable[[str, str], None],
        not_created: Callable[[str, list[str]], None],
        drafts: Drafts,
        disk: LocalStore,
        client: Callable[[Endpoint], Client],
        tools: SetupTools,
        server: Server | None = None,
        workspace: WantedWorkspace = NO_WORKSPACE,
    ) -> None:
        super().__init__(clock=clock, changed=changed, notice=notice, server=server)
        self._connect = connect
        self._random = random
        # The chat and turn that was last interrupted by a message, and the message's queue place.
        self._interrupting: tuple[tuple[str, int] | None, int] = (None, 0)
        # Called with a deleted chat's id, title and unsent messages; returns the chat to show next.
        self._gone = gone
        self._drafts = drafts
        # Called with the name of a chat that did not exist yet and its id when it was created, if
        # it was left meanwhile.
        self._was_created = created
        # Called with the name and the refused messages of a chat that was left and not created.
        self._not_created = not_created
        self._make_client = client
        self._tasks = Tasks(lambda error: notice(str(error), "error"))
        self._tools = tools
        self._running: asyncio.Task[None] | None = None
        self._stream: asyncio.Task[None] | None = None
        self._relaunch: asyncio.Task[None] | None = None
        self._learning: asyncio.Task[None] | None = None
        self._learned = False  # nothing has changed since the models were last requested
        self._list_error: ChatError | None = None
        self._not_launched = ""  # why the last start failed: shown once, not for every attempt
        spawn = self._tasks.spawn
        self._restarts = Restarts(clock, random, report_bug)
        self.outbox = Outbox(self, self, disk, spawn, drafts, workspace)
        self.requests = Requests(self, spawn)
        self.message_pages = MessagePages(self, spawn)
        self.visits = Visits(self, self.message_pages, spawn)
        self.list_search = ListSearch(self, spawn)
        self.chat_pages = ChatPages(self, self, spawn, drafts)
        self.read_reports = ReadReports(self, spawn)
        self.setup = Setup(self, spawn, self._restarts, tools)
        self.current = self._new_draft()

    # --- reading --------------------------------------------------------------------------

    @property
    def now(self) -> Now:
        """The live state of the current chat."""
        return live_state(self.view, self.connection, self.clock.now())

    @property
    def primary(self) -> Primary | None:
        """The action of Enter in an empty composer, None if there is none."""
        setup, archived = self.setup.state, self.is_archived
        return primary(self.view, self.connection, setup, archived=archived)

    def last_answer(self) -> str:
        """Return the text of the newest answer as the model wrote it; empty if there is none."""
        for message in reversed(self.view.messages):
            if message.role == "assistant":
                return user_text(message)
        return ""

    # --- start and end --------------------------------------------------------------------

    def start(self, chat_id: str | None = None) -> None:
        """Connect and follow the list of chats; with `chat_id`, show that chat."""
        self.connection = Connection()
        if self._running is not None:
            self._running.cancel()  # it may wait although the user has removed the cause
        self._running = self._tasks.spawn(self._run())
        # Now, so that what is typed meanwhile belongs to the chat; but after the connection was
        # started, which must not depend on errors of `open`.
        if chat_id is not None:
            self.open(chat_id)

    async def _run(self) -> None:
        while True:
            seen = await self._tools.seen()
            await self._restarts.run(self._reach)
            try:
                await self._restarts.run(self._watch)
            except PalaverError as error:
                await self._barred(error)
                await self._tools.changed_within(BARRED_S, seen, self.clock)
            else:
                return

    async def _barred(self, error: PalaverError) -> None:
        """Close the client and go offline: the token was refused, or the version is incompatible.

        Outgoing messages stay, and are sent once a connection succeeds.
        """
        headline = "Versions that do not fit" if isinstance(error, Incompatible) else "Not let in"
        if self.connection.reason != str(error):
            self.connection = offline(str(error), self.clock.now(), headline)
        client, self.client = self.client, None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()
        if client is not None:
            await client.close()
        self.changed()

    async def _reach(self, failures: int) -> None:
        """Find the daemon, load the outbox, and create the client."""
        self.endpoint = await self._connected()
        if self.endpoint.note:
            self.notice(self.endpoint.note, "warning")
        try:
            await self.outbox.load()
        except Exception as error:
            if failures < LOADS:
                raise
            report_bug(error)  # the messages stay on disk, and the client works without them
        self.client = self._make_client(self.endpoint)
        if self.view.chat_id is not None:
            self._follow(self.current)
        self._learn()

    async def _watch(self, _failures: int) -> None:
        """Follow the list of chats; each connection begins with a snapshot."""
        assert self.client is not None
        async with aclosing(self.client.watch()) as batches:
            async for events in batches:
                for event in events:
                    if isinstance(event, Connected | ConnectionLost):
                        self._connection_event(event)
                    elif isinstance(event, ConfigChanged):
                        self._learn()
                    elif isinstance(event, ListError):
                        self._list_unread(event.error)
                    else:
                        self._list_event(event)
                self.changed()

    async def _connected(self) -> Endpoint:
        """Return the daemon's endpoint; wait and retry until there is one."""
        while True:
            # Before the attempt, so that a cause that is removed during it is noticed.
            seen = await self._tools.seen()
            try:
                return await self._connect()
            except PalaverError as error:
                self.connection = offline(str(error), self.clock.now())
                self.changed()
            await self._tools.changed_since(seen, self.clock)
            self.connection = Connection()
            self.changed()

    def _list_unread(self, error: ChatError | None) -> None:
        """Say once that the list cannot be read, however often that is tried."""
        if error is not None and self._list_error is None:
            self.notice(f"The list of chats is not read: {error.message}", "warning")
        self._list_error = error

    def _list_event(self, event: WatchEvent) -> None:
        before = self.chats
        self.chats = reduce_list(before, event)
        if isinstance(event, ListSnapshot):
            self._list_error = None
            self.chat_pages.find_archived()
            self.chat_pages.find_lost()
            if self.view.chat_id is not None:
                self.chat_pages.learn(self.view.chat_id)
        elif isinstance(event, ChatDeleted):
            known = before.chats.get(event.chat_id)
            self.drop(event.chat_id, known.title if known is not None else "")
        self.read_reports.consider()

    def _learn(self) -> None:
        """Fetch the daemon's info and models; again if this is called while they are fetched."""
        self._learned = False
        if self._learning is None or self._learning.done():
            self._learning = self._tasks.spawn(self._ask_models())

    async def _ask_models(self) -> None:
        while not self._learned and (client := self.client) is not None:
            self._learned = True
            try:
                self.info = await client.info()
                self.models = await client.models()
            except PalaverError as error:
                self.notice(str(error), "warning")
                return
            self.setup.learned()
            self.changed()

    async def close(self) -> None:
        """Cancel all tasks, and close the client."""
        await self._tasks.cancel()
        if self.client is not None:
            await self.client.close()

    def _connection_event(self, event: Connected | ConnectionLost) -> None:
        self.connection = connection_after(self.connection, event, self.clock.now())
        if isinstance(event, Connected):
            # Also after a lost connection: it may be another daemon, with other models.
            self._learn()
            self._not_launched = ""
            self.chat_pages.retry_missed()
            self.list_search.connected()
            self.outbox.flush_all()
        elif (self.clock.now() - event.since).total_seconds() >= RELAUNCH_AFTER_S and (
            self._relaunch is None or self._relaunch.done()
        ):
            self._relaunch = self._tasks.spawn(self._launch_again())

    async def _launch_again(self) -> None:
        """Find or start the daemon as at the beginning; the streams reconnect by themselves."""
        try:
            await self._connect()
        except PalaverError as error:
            if str(error) != self._not_launched:
                self._not_launched = str(error)
                self.notice(self._not_launched, "warning")

    # --- the current chat -----------------------------------------------------------------

    def _new_draft(self) -> str:
        name = f"{DRAFT}{self._key()}"
        self.views[name] = ChatView(older=False)
        return name

    def new_chat(self) -> None:
        """Show a new chat, unless the current one is new and has no outgoing messages."""
        if not (self.is_draft and not self.view.outgoing):
            self._show(self._new_draft())

    def open(self, chat_id: str) -> None:
        """Show a chat: what is cached immediately, the rest as it arrives."""
        if self.current == chat_id and self._stream is not None:
            return
        if chat_id not in self.views:
            known = self.chats.chats.get(chat_id)
            self.views[chat_id] = (
                ChatView(chat_id=chat_id)
                if known is None
                else ChatView(
                    chat_id=chat_id, title=known.title, model=known.model, status=known.status
                )
            )
        self._show(chat_id)

    def rename(self, name: str, view: ChatView, chat: Chat) -> None:
        """Replace the draft `name`, whose state is `view`, with the chat that was created of it."""
        del self.views[name]
        self._created[name] = chat.id
        # After a lost response the chat may have been opened from the list already.
        known = self.views.get(chat.id)
        if known is not None:
            self.views[chat.id] = replace(known, outgoing=(*known.outgoing, *view.outgoing))
        else:
            self.views[chat.id] = ChatView(
                chat_id=chat.id,
                title=chat.title,
                model=chat.model,
                status=chat.status,
                since=self.clock.now(),
                versions=chat.versions,
                messages=view.messages,
                older=not view.messages,
                outgoing=view.outgoing,
            )
        if (
            view.model is not None and view.model != chat.model
        ):  # it was chosen after the message was sent
            self.requests.choose_model(self.views[chat.id], view.model)
        if self.current == name:
            self._show(chat.id)
        else:
            self._was_created(name, chat.id)

    def drop(self, name: str, title: str) -> None:
        """Discard a deleted chat's view; `gone` gets its unsent messages."""
        unsent = self.outbox.take_all_back(name)
        self.list_search.forget(name)
        self.views.pop(name, None)
        beside = self._gone(name, title, unsent)
        if self.current == name and beside is not None:
            self.open(beside)
        elif self.current == name:
            self._show(self._new_draft())

    def _show(self, name: str) -> None:
        before = self.current
        if name != before and before in self.views:
            self.views[before] = at_the_end(self.view)
        self.current = name
        self.views.move_to_end(name)
        self._forget_old_views(before)
        self._follow(name)
        self.read_reports.consider()
        self.changed()
        if name != before:
            self.left(before)

    def left(self, name: str) -> None:
        """Make a draft of what is refused in a chat that was left and will not be created.

        It is in no list, so that its messages could not be taken back.
        """
        view = self.views.get(name)
        if view is None or view.chat_id is not None or name == self.current:
            return
        if all(item.state == "refused" for item in view.outgoing):
            self._not_created(name, self.outbox.take_all_back(name))
            self.changed()

    def _forget_old_views(self, before: str) -> None:
        """Forget the views of chats that were shown long ago; `before` was shown until now."""
        for name, view in list(self.views.items()):
            if len(self.views) <= CACHED_CHATS:
                return
            if name not in {self.current, before} and not view.outgoing:
                del self.views[name]

    def _follow(self, name: str) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        chat_id = self.views[name].chat_id
        if self.client is not None and chat_id is not None:
            # What is kept of it may be out of date until this stream has caught up.
            self.views[name] = replace(self.views[name], attached=False)
            self._stream = self._tasks.spawn(self._restarts.run(partial(self._read_stream, name)))
            if self.chats.loaded:
                self.chat_pages.learn(chat_id)

    async def _read_stream(self, name: str, failures: int) -> None:
        """Follow a chat's stream from where it was read; after two failures, from the beginning."""
        if name not in self.views or self.client is None:
            return
        if failures > 1:
            self.views[name] = unread(self.views[name])  # the view may cause the failures
        view = self.views[name]
        assert view.chat_id is not None
        try:
            stream = self.client.stream(view.chat_id, progress=view.progress)
            async with aclosing(stream) as batches:
                async for events in batches:
                    before = self.views[name]
                    view = self.views[name] = reduce_all(before, events, self.clock.now())
                    self.outbox.arrived(before, view)
                    if self.current == name:
                        self.requests.say_answered(before, view)
                    if view.progress.since != before.progress.since:
                        self.read_reports.consider()
                    if any(isinstance(event, Connected) for event in events):
                        self.message_pages.retry_missed()
                    if self.current == name:
                        self.visits.go_on()
                    self.changed()
        except (Incompatible, Unauthenticated):
            return  # the stream of the list fails for the same reason and reports it
        except Refused as refused:
            if name not in self.views:
                return  # the stream of the list has reported it
            self.notice(str(refused), "error")
            if self.current == name:
                self._stream = None
            self.drop(name, view.title)

    # --- sending --------------------------------------------------------------------------

    def _key(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def send(self, content: str, *, interrupt: bool = False, steer: bool = False) -> None:
        """Send a message to the current chat, and show it immediately.

        With `interrupt`, the current turn is interrupted for it, and it is answered before the
        queue. With `steer`, it joins the current turn.
        """
        view = self.view
        if view.chat_id is None:
            self._drafts.begin(self.current)
        seen = view.versions.turn if view.versions else None
        turn = seen if interrupt else None
        item = Outgoing(
            self._key(),
            content,
            self.clock.now(),
            landing=landing(view),
            model=view.model if view.chat_id is None else None,
            interrupts=turn,
            steers=seen if steer else None,
            position=None if turn is None else self._place(turn),
        )
        self.outbox.send(self.current, item)
        self.changed()

    def _place(self, turn: int) -> int:
        """Return the place in the queue of a message that interrupts `turn`.

        The head, or after the messages that this client has sent to interrupt the same turn: two
        sent in succession are answered in that order.
        """
        stopped = (self.current, turn)
        place = self._interrupting[1] + 1 if self._interrupting[0] == stopped else 0
        self._interrupting = (stopped, place)
        return place

    def choose_model(self, name: str, model: str) -> None:
        """Change the model of a chat. The daemon decides, unless the chat does not exist yet."""
        view = self.views[name]
        if view.chat_id is not None:
            self.requests.choose_model(view, model)
            return
        self.views[name] = replace(view, model=model)
        self.changed()

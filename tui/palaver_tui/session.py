"""What the client does: keeps the views true, sends, stops. Knows no screen.

A `Session` owns the connection. Everything it learns goes through the reducers into views, and
then `changed` is called; whoever draws reads the views. It is used from one event loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from random import Random
from typing import Any, Literal
from uuid import UUID

from palaver.client import (
    Client,
    Connected,
    ConnectionLost,
    Endpoint,
    PalaverError,
    Position,
    Refused,
)
from palaver.clock import Clock
from palaver.wire.chats import CreateChat, Info, Interrupt, Models, SendMessage, Sent
from palaver_tui.timing import CACHED_CHATS, OLDER_PAGE
from palaver_tui.view.chat import ChatView, Outgoing
from palaver_tui.view.chats import EMPTY, ChatList, reduce_list
from palaver_tui.view.connection import Connection, connection_after, offline
from palaver_tui.view.live import Now, live_state
from palaver_tui.view.reduce import reduce_all, user_text, with_messages
from palaver_tui.view.sending import acknowledged, landing, marked, sending

Connect = Callable[[], Awaitable[Endpoint]]
Severity = Literal["information", "warning", "error"]
DRAFT = "new:"  # how the names of chats begin that the daemon does not know yet


class Session:
    """The client's side of everything, for one daemon."""

    def __init__(
        self,
        connect: Connect,
        *,
        clock: Clock,
        random: Random,
        changed: Callable[[], None],
        notice: Callable[[str, Severity], None],
        client: Callable[[Endpoint], Client] = Client,
    ) -> None:
        self.clock = clock
        self.chats: ChatList = EMPTY
        self.connection = Connection()
        self.endpoint: Endpoint | None = None
        self.models: Models | None = None
        self.info: Info | None = None
        self._connect = connect
        self._random = random
        self._changed = changed
        self._notice = notice
        self._make_client = client
        self._client: Client | None = None
        self._views: OrderedDict[str, ChatView] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream: asyncio.Task[None] | None = None
        self._sending: set[str] = set()  # names of chats whose messages are on their way
        self._loading_older: set[str] = set()
        self.current = self._new_draft()

    # --- reading --------------------------------------------------------------------------

    @property
    def view(self) -> ChatView:
        """The chat that is shown."""
        return self._views[self.current]

    @property
    def now(self) -> Now:
        """The live state of the chat that is shown."""
        return live_state(self.view, self.connection, self.clock.now())

    @property
    def is_draft(self) -> bool:
        """Whether the chat that is shown does not exist yet."""
        return self.view.chat_id is None

    def knows(self, name: str) -> bool:
        """Say whether there is a view of that name."""
        return name in self._views

    def last_answer(self) -> str:
        """Return the text of the newest answer, as its author wrote it."""
        for message in reversed(self.view.messages):
            if message.role == "assistant":
                return user_text(message)
        return ""

    # --- life -----------------------------------------------------------------------------

    def start(self, chat_id: str | None = None) -> None:
        """Connect and follow the list of chats; with `chat_id`, show that chat."""
        self.connection = Connection()
        self._spawn(self._run(chat_id))

    async def _run(self, chat_id: str | None) -> None:
        try:
            self.endpoint = await self._connect()
        except PalaverError as error:
            self.connection = offline(str(error), self.clock.now())
            self._changed()
            return
        self._client = self._make_client(self.endpoint)
        if chat_id is not None:
            self.open(chat_id)
        elif self.view.chat_id is not None:
            self._follow(self.current)
        self._spawn(self._learn())
        async with aclosing(self._client.watch()) as batches:
            async for events in batches:
                for event in events:
                    if isinstance(event, Connected | ConnectionLost):
                        self._connection_event(event)
                    else:
                        self.chats = reduce_list(self.chats, event)
                self._changed()

    async def _learn(self) -> None:
        """Ask once who answers and which models there are."""
        assert self._client is not None
        try:
            self.info = await self._client.info()
            self.models = await self._client.models()
        except PalaverError as error:
            self._notice(str(error), "warning")
        self._changed()

    async def close(self) -> None:
        """End everything that runs."""
        tasks = [*self._tasks, *([self._stream] if self._stream else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._notice(str(error) or type(error).__name__, "error")
            if not isinstance(error, PalaverError):
                loop = task.get_loop()
                loop.call_exception_handler({"message": "client task", "exception": error})

    def _connection_event(self, event: Connected | ConnectionLost) -> None:
        self.connection = connection_after(self.connection, event, self.clock.now())
        if isinstance(event, Connected):
            if self.models is None:
                self._spawn(self._learn())
            for name, view in self._views.items():
                if any(item.state == "waiting" for item in view.outgoing):
                    self._send_waiting(name)

    # --- which chat -----------------------------------------------------------------------

    def _new_draft(self) -> str:
        name = f"{DRAFT}{self._key()}"
        self._views[name] = ChatView(older=False)
        return name

    def new_chat(self) -> None:
        """Show an empty chat."""
        if not (self.is_draft and not self.view.outgoing):
            self._show(self._new_draft())

    def open(self, chat_id: str) -> None:
        """Show a chat: what is cached of it at once, what is missing as it comes."""
        if self.current == chat_id and self._stream is not None:
            return
        if chat_id not in self._views:
            known = self.chats.chats.get(chat_id)
            self._views[chat_id] = (
                ChatView(chat_id=chat_id)
                if known is None
                else ChatView(
                    chat_id=chat_id, title=known.title, model=known.model, status=known.status
                )
            )
        self._show(chat_id)

    def _show(self, name: str) -> None:
        self.current = name
        self._views.move_to_end(name)
        self._forget_old_views()
        self._follow(name)
        self._changed()

    def _forget_old_views(self) -> None:
        for name, view in list(self._views.items()):
            if len(self._views) <= CACHED_CHATS:
                return
            if name != self.current and not view.outgoing:
                del self._views[name]

    def _follow(self, name: str) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if self._client is not None and self._views[name].chat_id is not None:
            self._stream = self._spawn(self._read_stream(name))

    async def _read_stream(self, name: str) -> None:
        assert self._client is not None
        view = self._views[name]
        assert view.chat_id is not None
        try:
            stream = self._client.stream(view.chat_id, position=_position(view))
            async with aclosing(stream) as batches:
                async for events in batches:
                    view = reduce_all(self._views[name], events, self.clock.now())
                    self._views[name] = view
                    self._changed()
        except Refused as refused:
            self._notice(str(refused), "error")
            if self.current == name:
                self._stream = None
                self._show(self._new_draft())
            self._views.pop(name, None)

    # --- doing ----------------------------------------------------------------------------

    def _key(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def send(self, content: str, *, interrupt: bool = False) -> None:
        """Send a message to the chat that is shown; it is shown at once.

        With `interrupt`, what runs is stopped for it.
        """
        view = self.view
        turn = view.versions.turn if interrupt and view.versions else None
        outgoing = Outgoing(
            self._key(), content, self.clock.now(), landing=landing(view), interrupts=turn
        )
        self._views[self.current] = sending(view, outgoing)
        self._send_waiting(self.current)
        self._changed()

    def _send_waiting(self, name: str) -> None:
        if name not in self._sending:
            self._sending.add(name)
            self._spawn(self._send_all(name))

    async def _send_all(self, name: str) -> None:
        """Send what waits in one chat, in order, until all is out or the connection is gone."""
        try:
            while (item := _next_out(self._views[name])) is not None:
                try:
                    sent = await self._deliver(self._views[name], item)
                except Refused as refused:
                    view = marked(self._views[name], item.key, "refused", str(refused))
                    self._views[name] = view
                except PalaverError:
                    # No answer: the same key makes it safe to send again when there is one.
                    self._all_wait(name)
                    return
                else:
                    name = self._delivered(name, item, sent)
        finally:
            self._sending.discard(name)
            self._changed()

    async def _deliver(self, view: ChatView, item: Outgoing) -> Sent:
        """Send one message, as the first one of a new chat if there is none yet."""
        if self._client is None:
            raise PalaverError("There is no daemon yet.")
        if view.chat_id is None:
            request = CreateChat(item.content, model=item.model)
            return await self._client.create_chat(request, key=item.key)
        interrupts = item.interrupts is not None
        message = SendMessage(
            item.content,
            when_busy="interrupt" if interrupts else "queue",
            model=item.model,
            turn_version=item.interrupts,
        )
        return await self._client.send(view.chat_id, message, key=item.key)

    def _all_wait(self, name: str) -> None:
        view = self._views[name]
        for item in view.outgoing:
            if item.state == "sending":
                view = marked(view, item.key, "waiting")
        self._views[name] = view

    def _delivered(self, name: str, item: Outgoing, sent: Sent) -> str:
        """Put the answer into the view; a draft becomes the chat it asked for."""
        view = acknowledged(self._views[name], item.key, sent)
        if view.chat_id is not None:
            self._views[name] = view
            return name
        chat = sent.chat
        del self._views[name]
        self._sending.discard(name)
        self._sending.add(chat.id)
        self._views[chat.id] = ChatView(
            chat_id=chat.id,
            title=chat.title,
            model=chat.model,
            status=chat.status,
            since=self.clock.now(),
            versions=chat.versions,
            messages=view.messages,
            older=False,
            outgoing=view.outgoing,
        )
        if self.current == name:
            self._show(chat.id)
        return chat.id

    def stop(self) -> None:
        """Stop what runs in the chat that is shown, and hold its queue."""
        view = self.view
        if self._client is None or view.chat_id is None or view.versions is None:
            return
        self._spawn(self._stop(view.chat_id, view.versions.turn))

    async def _stop(self, chat_id: str, turn: int) -> None:
        assert self._client is not None
        try:
            request = Interrupt(turn_version=turn, hold_queue=True)
            interrupted = await self._client.interrupt(chat_id, request)
        except PalaverError as error:
            self._notice(str(error), "error")
            return
        if interrupted.changed:
            self._notice("Stopped. What was written so far is kept.", "information")
        else:
            self._notice(interrupted.reason or "There was nothing left to stop.", "information")

    def load_older(self) -> None:
        """Fetch the page before the first message there is, unless that is under way."""
        name, view = self.current, self.view
        if not view.older or not view.messages or name in self._loading_older:
            return
        if self._client is None or view.chat_id is None or not view.attached:
            return
        self._loading_older.add(name)
        self._spawn(self._load_older(name, view.chat_id, view.messages[0].id))

    async def _load_older(self, name: str, chat_id: str, before: int) -> None:
        assert self._client is not None
        try:
            page = await self._client.messages(chat_id, before_id=before, limit=OLDER_PAGE)
        except PalaverError as error:
            self._notice(str(error), "warning")
            return
        finally:
            self._loading_older.discard(name)
        if name in self._views:
            view = with_messages(self._views[name], page.messages)
            self._views[name] = replace(view, older=page.more)
            self._changed()


def _next_out(view: ChatView) -> Outgoing | None:
    return next((item for item in view.outgoing if item.state != "refused"), None)


def _position(view: ChatView) -> Position | None:
    """Return how far a cached view was read."""
    if view.caught_up is None:
        return None
    if view.live is None or not view.live.blocks:
        return Position(since=view.caught_up, replaced=view.replaced)
    last = view.live.blocks[-1]
    return Position(view.caught_up, view.live.episode, last.number, last.end, view.replaced)

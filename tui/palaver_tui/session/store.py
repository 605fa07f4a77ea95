"""What is known of the daemon and its chats: the parts of a session read it and write it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal, Protocol

from palaver.client import Client, Endpoint
from palaver.clock import Clock
from palaver.remote.servers import Server
from palaver.wire.chats import Chat, Info, Models
from palaver.wire.events import ChatUpdated
from palaver_tui.state.chat import ChatView
from palaver_tui.state.chat_list import EMPTY, ChatList, reduce_list
from palaver_tui.state.connection import Connection

Severity = Literal["information", "warning", "error"]
NO_CHAT: Final = "chat_not_found"  # the daemon's code for a chat that does not exist


class Store:
    """The views of chats, the list of them, the connection. It asks nobody for anything.

    `changed` is called after each change, `notice` with a sentence for the person. `client` is None
    while there is no daemon, `server` for the daemon of this machine.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        changed: Callable[[], None],
        notice: Callable[[str, Severity], None],
        server: Server | None,
    ) -> None:
        self.clock = clock
        self.changed = changed
        self.notice = notice
        self.server = server
        self.client: Client | None = None
        self.endpoint: Endpoint | None = None
        self.connection = Connection()
        self.models: Models | None = None
        self.info: Info | None = None
        self.chats: ChatList = EMPTY
        self.views: OrderedDict[str, ChatView] = OrderedDict()
        self.current = ""  # the name of the view that is shown

    @property
    def view(self) -> ChatView:
        """The chat that is shown."""
        return self.views[self.current]

    @property
    def is_draft(self) -> bool:
        """Whether the chat that is shown does not exist yet."""
        return self.view.chat_id is None

    @property
    def is_archived(self) -> bool:
        """Whether the chat that is shown is archived."""
        return self.chats.is_archived(self.view.chat_id)

    @property
    def address(self) -> str | None:
        """Where the daemon answers, as a text; None while none does."""
        return None if self.endpoint is None else str(self.endpoint)

    def knows(self, name: str) -> bool:
        """Return whether there is a view of that name."""
        return name in self.views

    def learned(self, chat: Chat) -> None:
        """Put a chat that an answer has told of into the list, before the list's stream tells."""
        self.chats = reduce_list(self.chats, ChatUpdated(chat, []))
        self.changed()


class Chats(Protocol):
    """What a part may ask for that concerns a chat as a whole."""

    def rename(self, name: str, view: ChatView, chat: Chat) -> None:
        """Replace the draft `name` by the chat that the daemon made of it."""

    def drop(self, name: str, title: str) -> None:
        """Forget a chat that was deleted; what was written to it is handed on."""

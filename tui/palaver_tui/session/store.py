"""The state that the parts of a session share: connection, list of chats, views of chats."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, Protocol

from palaver.client import Endpoint
from palaver.clock import Clock
from palaver.wire.chats import Chat, Info, Models
from palaver.wire.events import ChatUpdated
from palaver_tui.state.chat import ChatView
from palaver_tui.state.chat_list import EMPTY, ChatList, reduce_list
from palaver_tui.state.connection import Connection

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.remote.servers import Server

Severity = Literal["information", "warning", "error"]
NO_CHAT: Final = "chat_not_found"  # the daemon's code for a chat that does not exist


class Store:
    """The views of chats, the list of chats, and the connection. It sends no requests.

    `changed` is called after each change, `notice` with a sentence for the user. `client` is None
    while there is no daemon; `server` is None for the daemon of this machine.
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
        self.current = ""  # the name of the current view, which is shown
        self._created: dict[str, str] = {}  # ids of chats, by the names of their drafts

    @property
    def view(self) -> ChatView:
        """The view of the current chat."""
        return self.views[self.current]

    @property
    def is_draft(self) -> bool:
        """Whether the current chat does not exist in the daemon yet."""
        return self.view.chat_id is None

    @property
    def is_archived(self) -> bool:
        """Whether the current chat is archived."""
        return self.chats.is_archived(self.view.chat_id)

    @property
    def address(self) -> str | None:
        """The daemon's endpoint as text; None while there is none."""
        return None if self.endpoint is None else str(self.endpoint)

    def knows(self, name: str) -> bool:
        """Return whether there is a view with that name."""
        return name in self.views

    def called(self, name: str) -> str:
        """Return the present name of a view: the id of the chat if it was the name of a draft."""
        return self._created.get(name, name)

    def learned(self, chat: Chat) -> None:
        """Put the chat of a response into the list, before it arrives in the list's stream."""
        self.chats = reduce_list(self.chats, ChatUpdated(chat, []))
        self.changed()


class Chats(Protocol):
    """The methods of a session by which its parts replace or discard a whole chat."""

    def rename(self, name: str, view: ChatView, chat: Chat) -> None:
        """Replace the draft `name`, whose state is `view`, with the chat that was created of it."""

    def left(self, name: str) -> None:
        """Make a draft of what is refused in a chat that was left and will not be created."""

    def drop(self, name: str, title: str) -> None:
        """Discard a deleted chat's view; its unsent messages are passed on to become drafts."""

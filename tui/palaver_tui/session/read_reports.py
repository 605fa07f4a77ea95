"""Reports the chat that is shown to the daemon as read, for the user's other clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from palaver.client import PalaverError, Refused, Unreachable
from palaver.wire.queue import ReadChat
from palaver_tui.session.store import NO_CHAT, Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.reading import read_up_to
from palaver_tui.timing import READ_AFTER_S

if TYPE_CHECKING:
    from palaver.client import Client

# Refusals that need no notice: the list reports a deleted chat, and the user of a token for reading
# knows that it changes nothing.
SILENT = frozenset({NO_CHAT, "scope"})


class ReadReports:
    """Reports what the user sees as read.

    A chat that was shown for `READ_AFTER_S` with the terminal in focus is read, with all that has
    arrived meanwhile. One report of a chat is under way at a time, and none is sent for a chat that
    the list does not show as unread: the cost is at most a request per second, however fast answers
    grow.
    """

    def __init__(self, store: Store, spawn: Spawn) -> None:
        self._store = store
        self._spawn = spawn
        self._busy: set[str] = set()
        self.looking = True  # a terminal that does not tell is taken to have the focus

    def look(self, looking: bool) -> None:
        """Note whether the terminal has the focus."""
        self.looking = looking
        self.consider()

    def consider(self) -> None:
        """Begin a report about the current chat if it is unread.

        To be called when the list, the chat that is shown or its snapshot has changed.
        """
        client, chat_id = self._store.client, self._store.view.chat_id
        if client is None or chat_id is None or chat_id in self._busy:
            return
        if self._reached(chat_id) is not None:
            self._busy.add(chat_id)
            self._spawn(self._report(client, chat_id))

    def _reached(self, chat_id: str) -> int | None:
        store = self._store
        if store.view.chat_id != chat_id:
            return None
        return read_up_to(store.view, store.chats, looking=self.looking)

    async def _report(self, client: Client, chat_id: str) -> None:
        store = self._store
        try:
            await store.clock.sleep(READ_AFTER_S)
            reached = self._reached(chat_id)
            if reached is None:
                return
            store.learned(await client.mark_read(chat_id, ReadChat(reached)))
        except Unreachable:
            return  # the list's next snapshot says whether it is still unread
        except PalaverError as error:
            if not (isinstance(error, Refused) and error.problem.code in SILENT):
                store.notice(str(error), "warning")
            return
        finally:
            self._busy.discard(chat_id)
        self.consider()

"""From the session to the widgets: one pass over everything that is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.containers import Horizontal
from textual.screen import Screen

from palaver.wire.messages import QueuedMessage
from palaver_tui.actions import BY_ID, Action, key_name
from palaver_tui.layout.faces import Ink
from palaver_tui.layout.visible import visible_line
from palaver_tui.session import Session
from palaver_tui.view.banner import Banner, banner
from palaver_tui.view.chats import ChatList, Row, rows
from palaver_tui.view.live import STOPPABLE
from palaver_tui.view.primary import LABELS
from palaver_tui.view.wording import MOVING, activity, spinner
from palaver_tui.widgets.banner import BannerBox
from palaver_tui.widgets.bars import Bar
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.footer import footer_line
from palaver_tui.widgets.framing import entitle
from palaver_tui.widgets.header import header_line
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.stage import Stage
from palaver_tui.widgets.transcript import Transcript
from palaver_tui.widgets.welcome import Welcome

NARROW = 90  # columns below which the list of chats becomes an overlay
HINTS_FROM = 64  # columns from which the composer's frame has room for its hints


class Painter:
    """Knows which widget shows what."""

    def __init__(
        self,
        screen: Screen[object],
        session: Session,
        offers: Callable[[Action], bool],
        *,
        motion: bool,
    ) -> None:
        self._session = session
        self._motion = motion
        self._offers = offers
        self._screen = screen
        self._header = screen.query_one("#header", Bar)
        self._footer = screen.query_one("#footer", Bar)
        self._chats = screen.query_one(ChatListPane)
        self._stage = screen.query_one(Stage)
        self._transcript = screen.query_one(Transcript)
        self._welcome = screen.query_one(Welcome)
        self._banner = screen.query_one(BannerBox)
        self._queue = screen.query_one(QueuePanel)
        self._writing = screen.query_one("#writing", Horizontal)
        self._composer = screen.query_one(Composer)
        self.show_detail = False
        self._listed: ChatList | None = None  # what `_rows` were made of
        self._filter: str | None = None
        self._rows: list[Row] = []

    @property
    def frame(self) -> str:
        """The spinner as it is now."""
        return spinner(self._session.clock.monotonic(), self._motion)

    @property
    def animated(self) -> bool:
        """Whether something on the screen changes with time alone."""
        session = self._session
        busy = any(
            chat.status in {"running", "interrupting"} for chat in session.chats.chats.values()
        )
        return busy or session.now.state in MOVING | {"retrying", "reconnecting", "starting"}

    def model_name(self) -> str | None:
        """The model that answers, or would."""
        session = self._session
        models = session.models.models if session.models else []
        default = next((model.name for model in models if model.default), None)
        name = session.view.model or default
        return None if name is None else visible_line(name)

    def paint(
        self, closes: str | None, editing: QueuedMessage | None, filter_text: str | None
    ) -> None:
        """Bring every widget up to the session.

        `closes` is what Esc would close, `editing` the queued message in the composer,
        `filter_text` what the list is filtered by.
        """
        session, view = self._session, self._session.view
        width = self._screen.size.width
        endpoint = session.endpoint
        server = "" if endpoint is None else "local" if endpoint.socket else _host(endpoint.base)
        self._header.show([header_line(view, session.connection, server, self.model_name(), width)])
        self._paint_list(filter_text)
        empty = not view.messages and not view.live and not view.outgoing
        waiting = view.chat_id is not None and view.caught_up is None
        self._stage.set_class(empty and not waiting, "-empty")
        self._welcome.show(session.setting_up.state, self.model_name())
        self._transcript.show(view, session.current, self.model_name())
        self.paint_new_lines()
        now = session.clock.now()
        self._banner.show(self._offered(banner(view, session.connection, now, self.show_detail)))
        number = editing.id if editing else None
        self._queue.show(view, number, self._screen.size.height)
        self._paint_writing(editing)
        self._footer.show([footer_line(session.now.state, closes, self._offers, width)])

    def _paint_list(self, filter_text: str | None) -> None:
        session = self._session
        chats = session.chats
        if chats is not self._listed or filter_text != self._filter:
            # Thousands of chats are not sorted anew for every frame.
            self._listed, self._filter = chats, filter_text
            self._rows = rows(chats, filter_text or "")
        self._chats.show(
            self._rows,
            session.view.chat_id,
            self.frame,
            chats.loaded,
            more=chats.next_cursor is not None,
            filter_text=filter_text,
        )
        title = "Chats" if filter_text is None else f"/{visible_line(filter_text)}▏"
        busy = sum(chat.status == "running" for chat in chats.chats.values())
        entitle(self._chats, title, f"{busy} running" if busy else "")

    def paint_new_lines(self) -> None:
        """Say how much is below what is in view."""
        transcript = self._transcript
        words = ""
        if not transcript.following:
            new = transcript.new_lines
            words = f"↓ {new} new · ^End" if new else "↓ more · ^End"
        entitle(self._stage, "", words)

    def _paint_writing(self, editing: QueuedMessage | None) -> None:
        session = self._session
        now = session.now
        model = self.model_name() or "the model"
        text, ink = activity(now, session.view, model, session.clock.now(), self.frame)
        if editing is not None:
            text, ink = f"editing message {editing.position + 1} of the queue", "warning"
        self._writing.set_class(_warns(ink), "-warning")
        wide = self._screen.size.width >= HINTS_FROM
        entitle(self._writing, text, self._hints(editing) if wide else "")

    def _offered(self, shown: Banner | None) -> Banner | None:
        """Leave out the keys of what makes no sense now."""
        if shown is None:
            return None
        keys = tuple(key for key in shown.keys if self._offers(BY_ID[key[1]]))
        return replace(shown, keys=keys)

    def _hints(self, editing: QueuedMessage | None) -> str:
        """What Enter does now."""
        session = self._session
        state = session.now.state
        if editing is not None:
            return "⏎ put back · Esc leave it as it was"
        if not self._composer.text and (action := session.primary):
            return f"⏎ {LABELS[action]}"
        if state in STOPPABLE or state == "interrupting":
            return f"⏎ queue · {key_name(BY_ID['composer.interrupt'].keys[0])} send now"
        return "⏎ send · ^J new line"


def _warns(ink: Ink) -> bool:
    return ink == "warning"


def _host(base: str) -> str:
    return base.split("://", 1)[-1].rstrip("/")

"""The painter: updates every widget from the session's state in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

import msgspec
from msgspec.structs import replace
from textual.widget import Widget

from palaver import __version__
from palaver.wire.messages import Message, QueuedMessage
from palaver.wire.protocol import STEERING
from palaver_tui.keymap.actions import BY_ID, LETTERS, Action, Scope, key_of
from palaver_tui.screen.edit_frame import edit_hint, edit_title
from palaver_tui.screen.main_screen import MainScreen
from palaver_tui.session.session import Session
from palaver_tui.state.activity import DRAFT_SIGN, MOVING, activity, spinner
from palaver_tui.state.banner import Banner, banner
from palaver_tui.state.chat_list import ChatList, Row, rows
from palaver_tui.state.dropped_messages import Dropped
from palaver_tui.state.edited_message import is_gone
from palaver_tui.state.features import missing
from palaver_tui.state.found_messages import FoundMessages, found_rows
from palaver_tui.state.live import STOPPABLE
from palaver_tui.state.primary_action import LABELS
from palaver_tui.state.questions import question
from palaver_tui.storage.drafts import NEW
from palaver_tui.text.visible import visible_line
from palaver_tui.textual_patches.frame_title import entitle
from palaver_tui.widgets.chat_list import ListContent
from palaver_tui.widgets.footer import footer_line
from palaver_tui.widgets.header import Place, header_line

NARROW = 90  # columns below which the list of chats becomes an overlay
ENTER, END = key_of("composer.send"), key_of("view.end")
# In an empty composer.
MESSAGE, ANSWER = "Write a message", "Write an answer of your own"
FLAT = 12  # rows below which the conversation has no frame, to make room for a banner
CROWDED = 24  # rows below which the list of commands hides the banner
HINTS_FROM = 64  # columns from which the composer's frame shows hints


class ListSelection(msgspec.Struct, frozen=True):
    """What the list shows: the filter's text or None, archived chats or others, and drafts.

    `drafts` are the ids of chats with a draft.
    """

    filter_text: str | None
    archived: bool
    drafts: frozenset[str]


# By the ids of the main screen's widgets: their classes are not all imported at the first frame.
PARTS: dict[str, Scope] = {
    "composer": "composer",
    "transcript": "transcript",
    "chats": "chats",
    "search-input": "search",
    "question": "question",
    "queue": "queue",
}


def scope_of(focused: Widget | None) -> Scope | None:
    """Return the scope of the focused widget's key bindings; None if it has none of its own."""
    return PARTS.get(focused.id or "") if focused is not None else None


class Painter:
    """Paints the session into the widgets of the main screen.

    `offers` returns whether an action is possible now; without `motion`, spinners stand still.
    """

    def __init__(
        self,
        screen: MainScreen,
        session: Session,
        offers: Callable[[Action], bool],
        *,
        motion: bool,
        zone: tzinfo | None = None,
    ) -> None:
        self._session = session
        self._motion = motion
        self._zone = zone
        self._minute = 0  # the clock's minute at the last paint
        self._offers = offers
        self._screen = screen
        self._header, self._footer = screen.header, screen.footer
        self._chats = screen.chat_list
        self._stage = screen.stage
        self._welcome = screen.welcome
        self._banner = screen.banner
        self._question = screen.question
        self._queue = screen.queue
        self._writing = screen.writing
        self._commands = screen.commands
        self._composer = screen.composer
        self.show_detail = False
        self._listed: ChatList | None = None  # the list that `_rows` were computed from
        self._choice: tuple[str | None, bool] = (None, False)  # filter, and whether archived
        self._has_archived = False
        self._rows: list[Row] = []
        self._found: FoundMessages | None = None  # the answer that `_hits` were computed from
        self._hits: Sequence[Row] = ()

    @property
    def frame(self) -> str:
        """The current frame of the spinner."""
        return spinner(self._session.clock.monotonic(), self._motion)

    @property
    def animated(self) -> bool:
        """Whether a spinner or a countdown is shown, which changes with time alone."""
        session = self._session
        busy = any(
            chat.status in {"running", "interrupting"} for chat in session.chats.chats.values()
        )
        return busy or session.now.state in MOVING | {"retrying", "reconnecting"}

    @property
    def dated(self) -> bool:
        """Whether the ages in the list are out of date: another minute has begun."""
        return self._minute != _minute(self._session.clock.now())

    @property
    def moves(self) -> bool:
        """Whether a repaint would show something else although no state has changed."""
        return self.animated or self.dated

    def model_name(self) -> str | None:
        """Return the current chat's model or the default one; None if neither is known."""
        session = self._session
        models = session.models.models if session.models else []
        default = next((model.name for model in models if model.default), None)
        name = session.view.model or default
        return None if name is None else visible_line(name)

    def paint(
        self,
        closes: str | None,
        editing: QueuedMessage | Message | None,
        dropped: Dropped | None,
        selection: ListSelection,
        answering: str | None = None,
    ) -> None:
        """Update every widget from the session.

        Args:
            closes: what Esc would close, None if nothing is open.
            editing: the message that is edited in the composer.
            dropped: what is dropped when that message is sent.
            selection: what the list shows.
            answering: the id of the call whose answer is on its way.
        """
        session, view = self._session, self._session.view
        width = self._screen.size.width
        place = place_of(session)
        known = session.chats.chats.get(view.chat_id or "")
        labels = known.labels if known is not None else None
        model = self.model_name()
        self._header.show([header_line(view, session.connection, place, model, width, labels)])
        self._paint_list(selection, width)
        empty = not view.messages and not view.live and not view.outgoing
        waiting = view.chat_id is not None and not view.caught_up
        self._stage.set_class(empty and not waiting, "-empty")
        self._welcome.show(session.setup.state, self.model_name())
        if (transcript := self._screen.made_transcript) is not None:
            transcript.show(view, session.current, model)
            rewritten = isinstance(editing, Message) and not is_gone(view, editing)
            transcript.show_edit(editing.id if editing is not None and rewritten else None)
        self.paint_new_lines()
        now = session.clock.now()
        self._minute = _minute(now)
        archived = session.is_archived
        shown = banner(
            view,
            session.connection,
            now,
            self.show_detail,
            setup=session.setup.state,
            archived=archived,
        )
        # Without room for both, the commands to choose from matter more.
        crowded = self._commands.display and self._screen.size.height < CROWDED
        self._banner.show(None if crowded else self._offered(shown))
        number = editing.id if isinstance(editing, QueuedMessage) else None
        rows = self._screen.size.height
        self._question.show(view, answering, rows - self._banner.rows, self._zone)
        self._queue.show(view, number, rows, self._banner.rows + self._question.rows)
        self._composer.placeholder = ANSWER if question(view) is not None else MESSAGE
        self._composer.room = self._room_to_write()
        self._composer.fit()
        self._paint_writing(editing, dropped)
        self._paint_footer(closes, selection.filter_text is not None)

    def _asking_elsewhere(self) -> int:
        """Return the number of other chats that ask something."""
        session = self._session
        return sum(
            chat.status == "requires_action"
            for chat in session.chats.chats.values()
            if chat.id != session.view.chat_id
        )

    def _room_to_write(self) -> int:
        """Return the rows left for the composer: at least one, which the other parts ensure."""
        rows = self._screen.size.height
        conversation = 1 if rows < FLAT else 2  # a row, or its frame
        framed = 2 + 2  # header and footer, and the composer's frame
        others = self._banner.rows + self._question.rows + self._queue.rows
        return rows - framed - conversation - others

    def _paint_footer(self, closes: str | None, filtering: bool) -> None:
        # Under a dialog no part gets keys, not even the focused one.
        under = self._screen.app.screen is not self._screen
        focus = None if under else scope_of(self._screen.focused)
        transcript = self._screen.made_transcript
        line = footer_line(
            self._session.now.state,
            closes,
            self._offers,
            self._screen.size.width,
            focus,
            selected=transcript is not None and transcript.selection.some,
            filtering=filtering,
            under=under,
            asking=self._asking_elsewhere() if self._screen.is_narrow else 0,
        )
        self._footer.show([line])

    def _paint_list(self, selection: ListSelection, width: int) -> None:
        session = self._session
        chats = session.chats
        chosen = (selection.filter_text, selection.archived)
        found = session.list_search.found if selection.filter_text else None
        stale = chats is not self._listed or chosen != self._choice
        if stale:
            # Cached: thousands of chats should not be sorted for every frame.
            self._listed, self._choice = chats, chosen
            self._rows = rows(chats, selection.filter_text or "", archived=selection.archived)
            self._has_archived = chats.has_archived()
        if stale or found is not self._found:
            self._found, self._hits = found, found_rows(chats, found, self._rows)
        pages = chats.archive
        self._chats.show(
            ListContent(
                self._rows,
                self._hits,
                found,
                session.view.chat_id,
                loaded=pages.loaded if selection.archived else chats.loaded,
                next_page=(pages if selection.archived else chats).next_cursor,
                filter_text=selection.filter_text,
                archived=selection.archived,
                drafts=selection.drafts,
                now=session.clock.now(),
                zone=self._zone,
                roomy=width >= NARROW,
                looked_at=session.view.chat_id if session.read_reports.looking else None,
            ),
            self.frame,
        )
        entitle(self._chats, self._list_title(selection), self._list_signs(selection))

    def _list_title(self, selection: ListSelection) -> str:
        if selection.filter_text is not None:
            return f"/{visible_line(selection.filter_text)}▏"
        letters = f": {LETTERS}" if self._screen.focused is self._chats else ""
        if selection.archived:
            return f"Archived{letters}"
        # The draft of a chat that does not exist has no row: the title shows it.
        elsewhere = NEW in selection.drafts and not self._session.is_draft
        return f"Chats · {DRAFT_SIGN} {key_of('chat.new')}" if elsewhere else f"Chats{letters}"

    def _list_signs(self, selection: ListSelection) -> str:
        """Return the text under the list: how many chats ask and run, the key for archived ones."""
        key = key_of("chats.archived")
        if selection.archived:
            return f"{key} other chats"
        chats = self._session.chats.chats.values()
        busy = sum(chat.status == "running" for chat in chats)
        asking = sum(chat.status == "requires_action" for chat in chats)
        parts = [f"{asking} {'asks' if asking == 1 else 'ask'}"] if asking else []
        if busy and not (asking and self._has_archived):  # there is room for two
            parts.append(f"{busy} running")
        if self._has_archived:
            parts.append(f"{key} archived")
        return " · ".join(parts)

    def paint_new_lines(self) -> None:
        """Show how many new lines are below the view."""
        transcript = self._screen.made_transcript
        words = ""
        if transcript is not None and not transcript.viewport.following:
            new = transcript.viewport.new_lines
            words = f"↓ {new} new · {END}" if new else f"↓ more · {END}"
        takes = transcript is not None and self._screen.focused is transcript
        entitle(self._stage, LETTERS.capitalize() if takes else "", words)

    def _paint_writing(
        self, editing: QueuedMessage | Message | None, dropped: Dropped | None
    ) -> None:
        session = self._session
        now = session.now
        model = self.model_name() or "the model"
        wide = self._screen.size.width >= HINTS_FROM
        text, ink = activity(now, session.view, model, session.clock.now(), self.frame)
        if editing is not None:
            room = self._writing.size.width
            text, ink = edit_title(session.view, editing, dropped, room), "warning"
        elif session.is_archived:
            writes = self._screen.focused is self._composer
            text, ink = f"archived · {ENTER} brings it back" if writes else "archived", "muted"
        self._writing.set_class(ink == "warning", "-warning")
        entitle(self._writing, text, self._hints(editing) if wide else "")

    def _offered(self, shown: Banner | None) -> Banner | None:
        """Return the banner without the keys of actions that are not possible now."""
        if shown is None:
            return None
        keys = tuple(key for key in shown.keys if self._offers(BY_ID[key[1]]))
        return replace(shown, keys=keys)

    def _hints(self, editing: QueuedMessage | Message | None) -> str:
        """Return the hint in the composer's frame: what Enter does now."""
        session = self._session
        state = session.now.state
        if editing is not None:
            return edit_hint(session.view, editing)
        if self._commands.display or self._screen.focused is not self._composer:
            return ""  # the hint is in another part's frame
        if session.is_archived and self._composer.text:
            return ""
        if not self._composer.text and (action := session.primary):
            return f"{ENTER} {LABELS[action]}"
        if question(session.view) is not None:
            return f"{ENTER} answer · {key_of('composer.interrupt')} send as a message"
        if state in STOPPABLE or state == "interrupting":
            hint = f"{ENTER} queue · {key_of('composer.interrupt')} send now"
            if state == "interrupting" or missing(session.info, STEERING, "") is not None:
                return hint
            return f"{hint} · {key_of('composer.steer')} steer"
        return f"{ENTER} send · {key_of('composer.newline')} new line"


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)


def place_of(session: Session) -> Place:
    """Return the daemon's user, host and version for the header.

    The version is empty if it is the client's own.
    """
    endpoint, info, server = session.endpoint, session.info, session.server
    version = info.version if info is not None and info.version != __version__ else ""
    if server is None or server.host is None:
        local = "" if endpoint is None else "local" if endpoint.socket else _host(endpoint.base)
        return Place(local, version=version)
    user = info.user if info is not None and info.user else getattr(server.place, "user", None)
    host = server.name or server.host
    return Place(f"{user}@{host}" if user else host, remote=True, version=version)


def _host(base: str) -> str:
    return base.split("://", 1)[-1].rstrip("/")

"""The Textual application of the client: runs actions for keys, schedules paints for changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from msgspec.structs import replace
from textual import events
from textual.binding import BindingType
from textual.widgets import Input, TextArea

from palaver.client import Endpoint
from palaver.clock import Clock, SystemClock
from palaver.interface import Choices
from palaver.workspaces import NO_WORKSPACE, WantedWorkspace
from palaver_tui.actions.availability import offers
from palaver_tui.actions.painting import paint
from palaver_tui.actions.search import find
from palaver_tui.actions.slash_commands import list_commands
from palaver_tui.context.context import Context
from palaver_tui.context.dialogs import Dialogs
from palaver_tui.context.notices import Notices
from palaver_tui.context.own_errors import OwnErrors
from palaver_tui.keymap.actions import Action
from palaver_tui.keymap.bindings import bindings
from palaver_tui.platform.clipboard import Clipboard
from palaver_tui.platform.hangup import EXIT_CODE
from palaver_tui.platform.opener import Opener
from palaver_tui.platform.signals import on_ending_signals
from palaver_tui.screen.frames import FrameScheduler
from palaver_tui.screen.main_screen import MainScreen
from palaver_tui.screen.painter import FLAT, NARROW, Painter
from palaver_tui.session.session import Connect, Session
from palaver_tui.session.setup import SetupTools
from palaver_tui.storage.drafts import Drafts
from palaver_tui.storage.error_reports import ErrorLog, say_ended
from palaver_tui.storage.local_store import FOLDER, LocalStore
from palaver_tui.text.visible import encodable
from palaver_tui.textual_patches.application import Application
from palaver_tui.textual_patches.error_containment import guard_library
from palaver_tui.textual_patches.key_queue import KeyQueue
from palaver_tui.textual_patches.terminal_driver import Terminal
from palaver_tui.themes.palettes import DARK, FAMILIES, PALETTES, PLAIN, Depth
from palaver_tui.themes.themes import theme
from palaver_tui.timing import ANIMATION_S, ERROR_NOTICE_S, STILL_ANIMATION_S
from palaver_tui.transcript.look import Look
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.search_bar import SearchBar

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.remote.servers import Server
    from palaver_tui.widgets.transcript.widget import Transcript


class PalaverApp(Application[int]):
    """The application. `connect` finds or starts the daemon, after the first paint.

    With `signals`, the signals that end a process are handled: for a client with its own process.
    With `contains_errors`, the client shows its own errors and goes on; without, they end it, as
    tests need.
    `tools` are what it can do about a missing model; `hint` is shown in an empty chat. `server` is
    the server that was named, `choices` returns the servers to choose from, `notice` is shown at
    the start. `workspace` is the directory for new chats.
    """

    CSS_PATH = Path(__file__).with_name("palaver.tcss")  # absolute: for subclasses elsewhere, too
    TITLE = "palaver"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    ENABLE_COMMAND_PALETTE = False  # the client has its own
    SUSPENDED_SCREEN_CLASS = "-behind"  # the dialog over it shows the notices

    def __init__(
        self,
        connect: Connect,
        *,
        data_dir: Path,
        chat_id: str | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        client: Callable[[Endpoint], Client] | None = None,
        motion: bool = True,
        look: Look | None = None,
        depth: Depth = "truecolor",
        signals: bool = False,
        contains_errors: bool = False,
        tools: SetupTools | None = None,
        hint: str = "",
        server: Server | None = None,
        choices: Choices | None = None,
        notice: str = "",
        workspace: WantedWorkspace = NO_WORKSPACE,
    ) -> None:
        super().__init__(driver_class=Terminal)
        self.clock = clock or SystemClock()
        self._contains_errors = contains_errors
        if contains_errors:
            guard_library()
        self._chat_id, self._hint, self._notice = chat_id, hint, notice
        self._motion = motion
        self._look = look or Look()
        self._signals = signals
        self._is_ready = False  # the first paint can be made
        self._frames = FrameScheduler(self, self.paint)
        self._ticked = 0  # number of painted frames at the last tick
        self.key_queue = KeyQueue(self, self.give)
        self._events: asyncio.AbstractEventLoop | None = None
        self._without_signals: Callable[[], None] | None = None
        self._use_colours(depth)

        elsewhere = server is not None and server.socket is None
        self._disk = disk = LocalStore(
            data_dir, str(server.place) if server and elsewhere else None
        )
        self.main = MainScreen()
        self.main.hold()
        notices = Notices(self)
        self._connect, self._first_frame = connect, asyncio.Event()
        drafts = Drafts(
            disk,
            server=lambda: self.session.address,
            later=self.set_timer,
            warn=lambda words: notices.say(words, "warning"),
        )
        self.session = Session(
            self._connected,
            clock=self.clock,
            random=random or Random(),
            changed=self._changed,
            notice=notices.say,
            gone=self._after_deletion,
            created=lambda *chat: self.context.drafts.created(*chat),
            not_created=lambda *chat: self.context.drafts.not_created(*chat),
            drafts=drafts,
            disk=disk,
            client=client or self._new_client,
            tools=tools or SetupTools(),
            server=server,
            workspace=workspace,
        )
        dialogs = Dialogs(self, self.session, notices)
        log = ErrorLog(data_dir / FOLDER / "reports", os.environ)
        self.context = Context(
            app=self,
            session=self.session,
            screen=self.main,
            painter=Painter(
                self.main, self.session, self.offers, motion=motion, zone=self._look.zone
            ),
            changed=self._changed,
            paint=self.paint,
            perform=self.perform,
            notices=notices,
            dialogs=dialogs,
            errors=OwnErrors(self, log, notices, dialogs),
            clipboard=Clipboard(os.environ, super().copy_to_clipboard, data_dir / FOLDER),
            opener=Opener(os.environ),
            pictures=data_dir / FOLDER / "pictures",
            palettes=FAMILIES[depth],
            servers=choices,
            stored=drafts,
        )

    async def _connected(self) -> Endpoint:
        """Connect when the first frame is on the screen: what is imported for it takes longer."""
        await self._first_frame.wait()
        return await self._connect()

    def _new_client(self, endpoint: Endpoint) -> Client:
        from palaver.client import Client  # aiohttp, which the first paint does not wait for

        return Client(endpoint, clock=self.clock)

    # --- start and end --------------------------------------------------------------------

    def get_default_screen(self) -> MainScreen:
        """Return the main screen."""
        return self.main

    @property
    def on_screen(self) -> bool:
        """Whether there is a screen: not before the start, nor during the exit."""
        return self.is_running and bool(self.screen_stack)

    def on_ready(self) -> None:
        """Paint, then connect."""
        self._events = asyncio.get_running_loop()
        self._events.set_exception_handler(self._task_failed)
        if self._signals:
            self._without_signals = on_ending_signals(self._leave)
        self._is_ready = True
        main, context = self.main, self.context
        main.welcome.hint = self._hint
        look = replace(self._look, pictures=self._draws_pictures, now=self.clock.now)
        main.set_look(look)
        self._mark_own()
        main.composer.act = self.perform
        main.composer.focus()
        context.drafts.stored.shown_by(context.drafts.note, self._drafts_loaded)
        context.drafts.switch()
        if self._notice:
            context.notices.say(self._notice, "error", seconds=ERROR_NOTICE_S)
        # Drawn when this is done, as one frame, whatever fails in it.
        self.main.release()
        self.call_after_refresh(self._first_drawn)
        self.session.start(self._chat_id)
        self.paint()
        self.run_worker(context.drafts.stored.load())
        self.set_interval(ANIMATION_S if self._motion else STILL_ANIMATION_S, self._tick)

    def _first_drawn(self) -> None:
        """Make the conversation, which the first frame had no use for, and connect."""
        try:
            if self.on_screen:
                self.main.make_transcript()
                self._changed()
        finally:
            self._first_frame.set()

    async def on_unmount(self) -> None:
        """Stop the key queue, save the drafts, and close the session."""
        await self.key_queue.close()
        await self.context.drafts.stored.close()
        await self.session.close()
        self._disk.close()
        if self._without_signals is not None:
            self._without_signals()

    def hung_up(self) -> None:
        """Leave because the terminal has hung up. Called from another thread."""
        loop = self._events
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._leave, EXIT_CODE)

    def exit(
        self, result: int | None = None, return_code: int = 0, message: Any | None = None
    ) -> None:
        """Leave the client, after storing the composer's text."""
        if self.on_screen:
            self.context.drafts.note()
        super().exit(result, return_code, message)

    def _leave(self, code: int) -> None:
        """Leave on a signal, without confirmation; drafts and unsent messages are kept on disk."""
        self.exit(code, return_code=code)

    # --- the client's own errors ----------------------------------------------------------

    def contains(self, error: Exception) -> bool:
        """Record one of the client's own errors; return False if it has to end the client."""
        return self._can_go_on and self.handle_error(error)

    def handle_error(self, error: Exception) -> bool:
        """Record an error and show a notice; return False if it has to end the client."""
        if not self._contains_errors:
            return False
        if not self._can_go_on:
            self._give_up(error)
        self.context.errors.take(error, self.clock.now())
        return True

    @property
    def _can_go_on(self) -> bool:
        """Whether there is a screen to go on with: not if the first frame cannot be drawn."""
        return self._is_ready and not self.main.draws_first

    def _give_up(self, error: Exception) -> NoReturn:
        """Exit the process after an error before the first paint, when there is nothing to save."""
        log = self.context.errors.log
        log.note(error)
        log.write(self.clock.now())
        self.release_terminal()
        say_ended(log.path)
        os._exit(1)

    def _task_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle the error of a task or callback that nothing awaits."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self.fail(error)

    # --- painting -------------------------------------------------------------------------

    def _changed(self) -> None:
        # Not when painting: keys before the next paint already apply to the current chat.
        if self._is_ready and self.on_screen:
            self.context.drafts.switch()
        self._frames.request()

    def _tick(self) -> None:
        """Schedule a paint for spinners and times, unless there was one since the last tick."""
        painted, self._ticked = self._ticked, self._frames.painted
        moves = self.context.painter.moves or self.context.answering.waits
        if painted == self._ticked and moves:
            self._changed()

    def _after_deletion(self, chat_id: str, title: str, unsent: list[str]) -> str | None:
        from palaver_tui.actions.chats import after_deletion

        return after_deletion(self.context, chat_id, title, unsent)

    def paint(self) -> None:
        """Paint the current state of the session."""
        if self._is_ready and self.on_screen:
            paint(self.context)

    def _use_colours(self, depth: Depth) -> None:
        """Register the themes for a terminal with this colour depth, and choose the first one."""
        for palette in FAMILIES[depth]:
            self.register_theme(theme(palette))
        if depth == "none" or self.no_color:
            self.without_colours()
        self.theme = PLAIN.name if self.no_color else FAMILIES[depth][0].name

    @property
    def _draws_pictures(self) -> bool:
        """Whether pictures are drawn: the theme and the terminal have the colours for it."""
        return self._look.pictures and not self.no_color and not PALETTES.get(self.theme, DARK).own

    def watch_theme(self) -> None:
        """Repaint everything in the colours of the new theme."""
        if self._is_ready:
            self._mark_own()
            self.main.draw_pictures(self._draws_pictures)
            if self.main.made_transcript is not None:
                self.main.made_transcript.redraw()
            self.main.refresh(layout=True)

    def _mark_own(self) -> None:
        """Set the class `-own` if the theme uses only the terminal's own colours."""
        self.set_class(PALETTES.get(self.theme, DARK).own, "-own")

    # --- messages of the widgets ----------------------------------------------------------

    def _drafts_loaded(self) -> None:
        """Show the current chat's loaded draft, and fetch the chats of the other drafts."""
        if self.on_screen:
            self.context.drafts.show_stored()
            self.session.chat_pages.find_lost()
            self._changed()

    def on_text_area_changed(self) -> None:
        """Store the composer's text as the draft, and list the commands that match it."""
        if not self.on_screen:
            return
        list_commands(self.context)
        self.context.answering.wrote(self.session.current, self.main.composer.text)
        stored = self.context.drafts.stored
        before = stored.chats
        self.context.drafts.note()
        if stored.chats != before:
            self._changed()  # the list marks chats with drafts

    def on_resize(self, event: events.Resize) -> None:
        """Adapt the layout: in a narrow window the list is an overlay."""
        # Not `self.size`, which is still the previous size.
        self.main.set_class(event.size.width < NARROW, "-narrow")
        self.main.set_class(event.size.height < FLAT, "-flat")
        self._changed()

    def watch_app_focus(self, focused: bool) -> None:
        """Note whether the terminal has the focus: what arrives without it is not read."""
        self.session.read_reports.look(focused)
        self._changed()

    def on_descendant_focus(self) -> None:
        """Repaint: the footer shows the keys of the focused part."""
        self._changed()

    def on_search_bar_typed(self, message: SearchBar.Typed) -> None:
        """Search for the text of the search bar."""
        find(self.context, message.text)

    def on_transcript_used(self, message: Transcript.Used) -> None:
        """Use the clicked target."""
        from palaver_tui.actions.targets import use_target

        use_target(self.context, message.target)

    def on_transcript_moved(self) -> None:
        """Update the number of new lines below the view."""
        if self._is_ready:
            self.context.painter.paint_new_lines()

    def on_transcript_marked(self) -> None:
        """Repaint: the footer shows what Esc does."""
        self._changed()

    def on_transcript_near_start(self, message: Transcript.NearStart) -> None:
        """Fetch older messages."""
        if message.scrolled:
            self.session.message_pages.retry_missed()
        self.session.message_pages.older()

    def on_transcript_near_gap(self, message: Transcript.NearGap) -> None:
        """Fetch messages in the gap."""
        if message.scrolled:
            self.session.message_pages.retry_missed()
        self.session.message_pages.newer()

    def on_chat_list_pane_near_end(self, message: ChatListPane.NearEnd) -> None:
        """Fetch older chats, unless the list has got them since the message was sent."""
        wanted = self.main.chat_list.wanted
        if wanted is None:
            return
        if message.scrolled:
            self.session.chat_pages.retry_missed()
        self.session.chat_pages.more(archived=self.context.list_filter.archived, wanted=wanted)

    def on_chat_list_pane_filtered(self) -> None:
        """Repaint with the list's current filter, which may have ended since the message."""
        self.context.list_filter.follow()
        self._changed()

    def on_chat_list_pane_chosen(self, message: ChatListPane.Chosen) -> None:
        """Show the chat that was clicked, at what was found in it."""
        from palaver_tui.actions.chat_list import show_row

        show_row(self.context, message.row)
        self.main.close_list()

    # --- calls by Textual -----------------------------------------------------------------

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a field's selection like everything else, with a notice."""
        from palaver_tui.actions.clipboard import copy_text

        self.set_pasted(encodable(text))
        copy_text(self.context, text, "the selection")

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open a URL, also one that Textual would open in a browser itself."""
        from palaver_tui.actions.links import open_address

        self.run_worker(open_address(self.context, url))

    def action_help_quit(self) -> None:
        """Handle ^c, by Textual's name for it: copy the selection, or ask before leaving."""
        from palaver_tui.actions.application import copy_or_leave

        copy_or_leave(self.context)

    # --- keys -----------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Queue input from the terminal; handle every other event immediately."""
        is_input = isinstance(event, events.InputEvent | events.Paste)
        if is_input and not event.is_forwarded:
            await self.key_queue.take(event)
        elif is_input and not self.screen_stack:
            event.stop()  # it bubbled from a removed widget: the client is leaving
        else:
            await super().on_event(event)

    async def give(self, event: events.Event) -> None:
        """Dispatch the next input event of the queue."""
        if isinstance(event, events.Key):
            # Its time is taken by the thread that reads the terminal, also during a long paint.
            self.context.enter.note(event.key, event.time, self.main.composer.edits)
            self.context.answering.key()
            if "alt+" in event.key:
                event.character = None  # Textual would insert the letter without Alt
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Insert a letter that is no key binding into the composer."""
        bound = self.screen.active_bindings
        if event.is_printable and event.key not in bound:
            self._write(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        """Insert text that was pasted outside of any field into the composer."""
        if not isinstance(self.focused, Input | TextArea):
            self._write(event.text.replace("\r\n", "\n").replace("\r", "\n"))

    def _write(self, text: str) -> None:
        """Insert `text` into the composer, and focus it."""
        self.context.dialogs.close()
        self.main.close_list()
        self.main.composer.insert(text)
        self.main.composer.focus()

    def action_perform(self, name: str) -> None:
        """Run an action by its id; key bindings call this."""
        self.perform(name)

    def perform(self, name: str) -> None:
        """Run an action by its id, if it is possible now."""
        from palaver_tui.actions.perform import perform

        perform(self.context, name)

    def offers(self, action: Action) -> bool:
        """Return whether `action` is possible now."""
        return offers(self.context, action)

"""The terminal client as an application: keys to actions, changes to repaints."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, ClassVar, NoReturn

from rich.console import Console
from textual import events
from textual.binding import BindingType
from textual.widgets import Input, TextArea

from palaver.client import Client, Endpoint
from palaver.clock import Clock, SystemClock
from palaver.interface import Choices, Left
from palaver.remote.servers import Server
from palaver.setup.servers import find_servers
from palaver_tui.actions.application import copy_or_leave
from palaver_tui.actions.availability import offers
from palaver_tui.actions.chats import after_deletion
from palaver_tui.actions.clipboard import copy_text
from palaver_tui.actions.links import open_address
from palaver_tui.actions.painting import paint
from palaver_tui.actions.perform import perform
from palaver_tui.actions.search import find
from palaver_tui.actions.slash_commands import list_commands
from palaver_tui.actions.targets import use_target
from palaver_tui.context.context import Context
from palaver_tui.context.dialogs import Dialogs
from palaver_tui.context.notices import Notices
from palaver_tui.context.own_errors import OwnErrors
from palaver_tui.keymap.actions import Action
from palaver_tui.keymap.bindings import bindings
from palaver_tui.platform.clipboard import Clipboard
from palaver_tui.platform.hangup import EXIT_CODE, watch_terminal
from palaver_tui.platform.opener import Opener
from palaver_tui.platform.signals import on_ending_signals
from palaver_tui.screen.frames import FrameScheduler
from palaver_tui.screen.main_screen import MainScreen
from palaver_tui.screen.painter import FLAT, NARROW, Painter
from palaver_tui.session.session import Connect, Session
from palaver_tui.session.setup import SetupTools
from palaver_tui.session.watched_files import file_stats, watched_files
from palaver_tui.storage.drafts import Drafts
from palaver_tui.storage.error_reports import ErrorLog, say_ended
from palaver_tui.storage.local_store import FOLDER, LocalStore
from palaver_tui.text.visible import encodable
from palaver_tui.textual_patches.application import Application, unwrapped
from palaver_tui.textual_patches.error_containment import guard_library
from palaver_tui.textual_patches.key_queue import KeyQueue
from palaver_tui.textual_patches.terminal_driver import Terminal
from palaver_tui.themes.palettes import DARK, FAMILIES, PALETTES, PLAIN, Depth
from palaver_tui.themes.themes import theme
from palaver_tui.timing import ANIMATION_S, ERROR_NOTICE_S, STILL_ANIMATION_S
from palaver_tui.transcript.message_stacks import Look
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.search_bar import SearchBar
from palaver_tui.widgets.strips import depth_of, draws_pictures
from palaver_tui.widgets.transcript.widget import Transcript


class PalaverApp(Application[int]):
    """The client. `connect` finds or starts the daemon, while the first paint is on screen.

    With `signals`, those that ask to end are handled: for a client that has a process to itself.
    With `contains_errors`, one of the client's own is told in it; without, it ends the client, as
    tests want it.
    `tools` are what it can do about a missing model; `hint` stands where nothing was said yet.
    `server` is the one that was named, `choices` are those that can be gone to, `notice` is said at
    the beginning.
    """

    CSS_PATH = "palaver.tcss"
    TITLE = "palaver"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    ENABLE_COMMAND_PALETTE = False  # there is one of our own
    SUSPENDED_SCREEN_CLASS = "-behind"  # what lies over it has the notices

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
        self._ticked = 0  # frames that had been painted at the last tick
        self.key_queue = KeyQueue(self, self.give)
        self._events: asyncio.AbstractEventLoop | None = None
        self._without_signals: Callable[[], None] | None = None
        self._use_colours(depth)

        elsewhere = server is not None and server.socket is None
        disk = LocalStore(data_dir, str(server.place) if server and elsewhere else None)
        self.main = MainScreen()
        notices = Notices(self)
        self.session = Session(
            connect,
            clock=self.clock,
            random=random or Random(),
            changed=self._changed,
            notice=notices.say,
            gone=lambda *chat: after_deletion(self.context, *chat),
            drafted=lambda: self.context.drafts.stored.here,
            disk=disk,
            client=client or partial(Client, clock=self.clock),
            tools=tools or SetupTools(),
            server=server,
        )
        drafts = Drafts(
            disk,
            server=lambda: self.session.address,
            later=self.set_timer,
            warn=lambda words: notices.say(words, "warning"),
        )
        dialogs = Dialogs(self)
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
            offers=lambda action: self.offers(action),
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

    # --- life -----------------------------------------------------------------------------

    def get_default_screen(self) -> MainScreen:
        """Return the main screen."""
        return self.main

    @property
    def on_screen(self) -> bool:
        """Whether there is a screen: not before the start, and not while leaving."""
        return self.is_running and bool(self.screen_stack)

    def on_ready(self) -> None:
        """Show the first paint, then connect."""
        self._events = asyncio.get_running_loop()
        self._events.set_exception_handler(self._task_failed)
        if self._signals:
            self._without_signals = on_ending_signals(self._leave)
        self._is_ready = True
        main, context = self.main, self.context
        main.welcome.hint = self._hint
        look = replace(self._look, pictures=self._draws_pictures, now=self.clock.now)
        main.transcript.set_look(look)
        self._mark_own()
        main.composer.act = self.perform
        main.composer.focus()
        context.drafts.switch()
        self.paint()
        if self._notice:
            context.notices.say(self._notice, "error", seconds=ERROR_NOTICE_S)
        self.session.start(self._chat_id)
        self.run_worker(context.drafts.stored.load(self._drafts_loaded))
        self.set_interval(ANIMATION_S if self._motion else STILL_ANIMATION_S, self._tick)

    async def on_unmount(self) -> None:
        """End everything that runs."""
        await self.key_queue.close()
        await self.context.drafts.stored.save()
        await self.session.close()
        if self._without_signals is not None:
            self._without_signals()

    def hung_up(self) -> None:
        """Leave because the terminal is gone. Called from another thread."""
        loop = self._events
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._leave, EXIT_CODE)

    def exit(
        self, result: int | None = None, return_code: int = 0, message: Any | None = None
    ) -> None:
        """End the client; the last words in the composer are kept, too."""
        if self.on_screen:
            self.context.drafts.note()
        super().exit(result, return_code, message)

    def _leave(self, code: int) -> None:
        """A signal asks to end: no questions, what was written is kept on disk."""
        self.exit(code, return_code=code)

    # --- errors of the client's own -------------------------------------------------------

    def contains(self, error: Exception) -> bool:
        """Record an error of the client's own; return False if it is to end the client."""
        return self._is_ready and self.handle_error(error)

    def handle_error(self, error: Exception) -> bool:
        """Note an error and show that there was one; return False if it may end the client."""
        if not self._contains_errors:
            return False
        if not self._is_ready:
            self._give_up(error)
        self.context.errors.take(error, self.clock.now())
        return True

    def _give_up(self, error: Exception) -> NoReturn:
        """End before the first paint: there is nothing to show an error in, and nothing to keep."""
        log = self.context.errors.log
        log.note(error)
        log.write(self.clock.now())
        self.release_terminal()
        say_ended(log.path)
        os._exit(1)

    def _task_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something that ran by itself failed, and nobody waits for it."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self.fail(error)

    # --- painting -------------------------------------------------------------------------

    def _changed(self) -> None:
        # Not with the paint: what is typed, and Enter, go to the chat that is current by then.
        if self._is_ready and self.on_screen:
            self.context.drafts.switch()
        self._frames.request()

    def _tick(self) -> None:
        """Move what moves by itself; a frame that was painted meanwhile has moved it."""
        painted, self._ticked = self._ticked, self._frames.painted
        if painted == self._ticked and self.context.painter.moves:
            self._changed()

    def paint(self) -> None:
        """Show the session as it is now."""
        if self._is_ready and self.on_screen:
            paint(self.context)

    def _use_colours(self, depth: Depth) -> None:
        """Register the themes that a terminal with so many colours can show, and begin with one."""
        for palette in FAMILIES[depth]:
            self.register_theme(theme(palette))
        if depth == "none" or self.no_color:
            self.without_colours()
        self.theme = PLAIN.name if self.no_color else FAMILIES[depth][0].name

    @property
    def _draws_pictures(self) -> bool:
        """Whether there are colours to draw pictures with."""
        return self._look.pictures and not self.no_color and not PALETTES.get(self.theme, DARK).own

    def watch_theme(self) -> None:
        """Draw everything again in the new colours."""
        if self._is_ready:
            self._mark_own()
            self.main.transcript.viewport.draw_pictures(self._draws_pictures)
            self.main.transcript.redraw()
            self.main.refresh(layout=True)

    def _mark_own(self) -> None:
        """Mark the style sheet for themes that use only the terminal's own colours."""
        self.set_class(PALETTES.get(self.theme, DARK).own, "-own")

    # --- what the parts tell --------------------------------------------------------------

    def _drafts_loaded(self) -> None:
        """The drafts were read: show the one of this chat, and ask for the chats of the others."""
        if self.on_screen:
            self.context.drafts.show_stored()
            self.session.chat_pages.find_lost()
            self._changed()

    def on_text_area_changed(self) -> None:
        """Keep what is being written, a moment later, on disk; list the commands it may be."""
        if not self.on_screen:
            return
        list_commands(self.context)
        stored = self.context.drafts.stored
        before = stored.chats
        self.context.drafts.note()
        if stored.chats != before:
            self._changed()  # the list marks it

    def on_resize(self, event: events.Resize) -> None:
        """Make room: a narrow window has the list as an overlay."""
        # Not our own size: that is still the one before.
        self.main.set_class(event.size.width < NARROW, "-narrow")
        self.main.set_class(event.size.height < FLAT, "-flat")
        self._changed()

    def on_descendant_focus(self) -> None:
        """Repaint: the footer shows the keys of the focused part."""
        self._changed()

    def on_search_bar_typed(self, message: SearchBar.Typed) -> None:
        """Find what was typed."""
        find(self.context, message.text)

    def on_transcript_used(self, message: Transcript.Used) -> None:
        """Use what was clicked."""
        use_target(self.context, message.target)

    def on_transcript_moved(self) -> None:
        """Show how much is new below."""
        if self._is_ready:
            self.context.painter.paint_new_lines()

    def on_transcript_marked(self) -> None:
        """Repaint: the footer shows what Esc does."""
        self._changed()

    def on_transcript_near_start(self) -> None:
        """Fetch what is older."""
        self.session.message_pages.older()

    def on_transcript_near_gap(self) -> None:
        """Fetch what is missing between."""
        self.session.message_pages.newer()

    def on_chat_list_pane_near_end(self, message: ChatListPane.NearEnd) -> None:
        """Fetch chats that are older, if they did not come since it was said."""
        wanted = self.main.chat_list.wanted
        if wanted is None:
            return
        if message.scrolled:
            self.session.chat_pages.retry_missed()
        self.session.chat_pages.more(archived=self.context.list_filter.archived, wanted=wanted)

    def on_chat_list_pane_filtered(self) -> None:
        """Show the chats that fit what is typed by now: the filter may be over already."""
        self.context.list_filter.follow()
        self._changed()

    def on_chat_list_pane_chosen(self, message: ChatListPane.Chosen) -> None:
        """Show the chat that was clicked."""
        self.session.open(message.chat_id)
        self.main.close_list()

    # --- what Textual asks for by itself --------------------------------------------------

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what the library copies from a field: as all else is copied, and said."""
        self.set_pasted(encodable(text))
        copy_text(self.context, text, "the selection")

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open an address: our own, and what the library would give to a browser by itself."""
        self.run_worker(open_address(self.context, url))

    def action_help_quit(self) -> None:
        """Textual's name for ^c. It copies what is selected, and else asks before it leaves."""
        copy_or_leave(self.context)

    # --- keys -----------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Queue input from the terminal; handle every other event at once."""
        is_input = isinstance(event, events.InputEvent | events.Paste)
        if is_input and not event.is_forwarded:
            await self.key_queue.take(event)
        elif is_input and not self.screen_stack:
            event.stop()  # it comes back from a part that is gone: the client is leaving
        else:
            await super().on_event(event)

    async def give(self, event: events.Event) -> None:
        """Dispatch an input event whose turn it is."""
        if isinstance(event, events.Key):
            self.context.enter.note(event.key)
            if "alt+" in event.key:
                event.character = None  # to Textual a letter with Alt is the letter
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """A letter that nothing wanted: somebody writes."""
        bound = self.screen.active_bindings
        if event.is_printable and event.key not in bound:
            self._write(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        """A paste outside of any field."""
        if not isinstance(self.focused, Input | TextArea):
            self._write(event.text.replace("\r\n", "\n").replace("\r", "\n"))

    def _write(self, text: str) -> None:
        """Put `text` into the composer, and go there."""
        self.context.dialogs.close()
        self.main.close_list()
        self.main.composer.insert(text)
        self.main.composer.focus()

    def action_perform(self, name: str) -> None:
        """Run an action by its id: what key bindings call."""
        self.perform(name)

    def perform(self, name: str) -> None:
        """Run an action by its id, if it makes sense now."""
        perform(self.context, name)

    def offers(self, action: Action) -> bool:
        """Return whether `action` makes sense now."""
        return offers(self.context, action)


def open_terminal(
    connect: Connect,
    *,
    data_dir: Path,
    chat_id: str | None = None,
    restart: Connect | None = None,
    config: Path | None = None,
    hint: str = "",
    server: Server | None = None,
    choices: Choices | None = None,
    notice: str = "",
) -> Left:
    """Run the client until the person leaves; return how.

    `connect` returns where the daemon answers, after starting one if need be; `restart` ends the
    one that runs first. They raise `PalaverError` with a sentence when they cannot, which is shown
    in the client. `config` is the file that a daemon started by them reads, None for the usual one;
    `hint` stands where nothing was said yet, `notice` is said at the beginning. `server` is the one
    that was named, `choices` are those that can be gone to, None where that is not offered.
    """
    files = tuple(watched_files(data_dir, config, server))
    find = partial(find_servers, SystemClock())
    tools = SetupTools(os.environ, restart, find, partial(file_stats, files))
    motion = "PALAVER_REDUCED_MOTION" not in os.environ
    console = Console()
    look = Look(pictures=draws_pictures(console))
    app = PalaverApp(
        connect,
        data_dir=data_dir,
        chat_id=chat_id,
        motion=motion,
        look=look,
        depth=depth_of(console),
        signals=True,
        contains_errors=True,
        tools=tools,
        hint=hint,
        server=server,
        choices=choices,
        notice=notice,
    )
    ended = watch_terminal(0, app.hung_up)
    try:
        result = app.run()
    except Exception as error:  # noqa: BLE001 - no traceback reaches a person
        app.context.errors.log.note(unwrapped(error))
        app.context.errors.log.write(app.clock.now())
        result = 1
    finally:
        ended()
    if app.context.errors.log and (result == 1 or app.return_code == 1):
        say_ended(app.context.errors.log.path)
    code = app.return_code or (result if isinstance(result, int) else 0)
    return Left(code, app.session.view.chat_id, app.context.exit_state.server)

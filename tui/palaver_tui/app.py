"""The terminal client as an application: keys to actions, changes to repaints."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, ClassVar, NoReturn

from rich.console import Console
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from palaver.client import Client, Endpoint
from palaver.clock import Clock, SystemClock
from palaver.interface import Choices, Left
from palaver.paths import client_config_path, default_config_path, socket_path
from palaver.remote.address import Web
from palaver.remote.endpoints import tokens
from palaver.remote.servers import Server
from palaver.setup.servers import find_servers
from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.actions.availability import NEEDS
from palaver_tui.actions.chats import quoted
from palaver_tui.actions.keys import Keying
from palaver_tui.keymap.actions import Action, key_of
from palaver_tui.keymap.bindings import bindings
from palaver_tui.platform.clipboard import Clipboard
from palaver_tui.platform.hangup import EXIT_CODE, watch_terminal
from palaver_tui.platform.opener import Opener
from palaver_tui.platform.signals import on_ending_signals
from palaver_tui.screen.frames import Frames
from palaver_tui.screen.painter import FLAT, NARROW, Choice, Painter
from palaver_tui.session.session import Connect, Session
from palaver_tui.session.setup import SetupTools, looked_at
from palaver_tui.state.chat import DRAFT
from palaver_tui.state.escape import Open
from palaver_tui.storage.drafts import NEW, Drafts, joined
from palaver_tui.storage.error_reports import ErrorKind, ErrorLog, say_ended
from palaver_tui.storage.local_store import FOLDER, LocalStore
from palaver_tui.text.visible import encodable
from palaver_tui.textual_patches.error_containment import guard_library
from palaver_tui.textual_patches.key_queue import Inputs
from palaver_tui.textual_patches.row_compositor import RowCompositor
from palaver_tui.textual_patches.terminal_driver import Terminal
from palaver_tui.themes.palettes import DARK, FAMILIES, PALETTES, PLAIN, Depth
from palaver_tui.themes.themes import theme
from palaver_tui.timing import (
    ANIMATION_S,
    ERROR_NOTICE_S,
    SCREEN_UPDATES_PER_SECOND,
    STILL_ANIMATION_S,
)
from palaver_tui.transcript.sections import Look
from palaver_tui.widgets.backstop import Backstop
from palaver_tui.widgets.banner import BannerBox
from palaver_tui.widgets.bar import Bar
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.command_list import CommandList
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.search_bar import SearchBar
from palaver_tui.widgets.stage import Stage
from palaver_tui.widgets.strips import depth_of, draws_pictures
from palaver_tui.widgets.transcript.widget import Transcript
from palaver_tui.widgets.welcome import Welcome

CLOSING_WORDS: dict[Open, str] = {
    "dialog": "close",
    "commands": "clear",
    "search": "end search",
    "selection": "unselect",
    "filter": "clear filter",
    "archived": "other chats",
    "queue": "leave the queue",
    "edit": "leave it as it was",
    "overlay": "close list",
}


class MainScreen(Screen[object]):
    """The one screen: list, conversation, composer."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._compositor = RowCompositor()
        self._updates: Timer | None = None

    @property
    def _update_timer(self) -> Timer:
        """What draws the screen when something is dirty: Textual's, at a rate of our own."""
        if self._updates is None:
            self._updates = self.set_interval(
                1 / SCREEN_UPDATES_PER_SECOND, self._on_timer_update, pause=True
            )
        return self._updates

    def compose(self) -> ComposeResult:
        """Lay out the parts."""
        yield Bar(id="header")
        with Horizontal(id="body"):
            yield ChatListPane()
            with Vertical(id="main"):
                with Stage(id="stage"):
                    yield Transcript(Look())
                    yield Welcome()
                yield SearchBar()
                yield BannerBox()
                yield QueuePanel()
                yield CommandList()
                with Horizontal(id="writing"):
                    yield Static("❯", id="prompt", markup=False)
                    yield Composer()
        yield Bar(id="footer")


class PalaverApp(Keying):
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
        self.errors = ErrorLog(data_dir / FOLDER / "reports", os.environ)
        self._contains_errors = contains_errors
        if contains_errors:
            guard_library()
        elsewhere = server is not None and server.socket is None
        self._store = LocalStore(data_dir, str(server.place) if server and elsewhere else None)
        self._choices = choices
        self._notice = notice
        self.editing = None
        self.filter_text = None
        self._filing = set()
        self._undoable = []
        self._asides = {}
        self._parked: dict[str, tuple[QueuedMessage | Message, str]] = {}
        self.session = Session(
            connect,
            clock=self.clock,
            random=random or Random(),
            changed=self._changed,
            notice=self.say,
            gone=self._chat_gone,
            drafted=lambda: self._drafts.here,
            disk=self._store,
            client=client or partial(Client, clock=self.clock),
            tools=tools or SetupTools(),
            server=server,
        )
        self.pictures = data_dir / FOLDER / "pictures"
        self._copier = Clipboard(os.environ, self._send_to_clipboard, data_dir / FOLDER)
        self._opener = Opener(os.environ)
        self._chat_id = chat_id
        self._hint = hint
        self._motion = motion
        self._look = look or Look()
        self._painter: Painter | None = None
        self._frames = Frames(self, self.paint)
        self._ticked = 0  # frames that had been painted at the last tick
        self._drafts = Drafts(
            self._store,
            server=self._daemon,
            later=self.set_timer,
            warn=lambda words: self.say(words, "warning"),
        )
        self._shown: str | None = None
        self._signals = signals
        self._backstop = Backstop()
        self.inputs = Inputs(self, self.give)
        self._events: asyncio.AbstractEventLoop | None = None
        self._without_signals: Callable[[], None] | None = None
        self.palettes = FAMILIES[depth]
        for palette in self.palettes:
            self.register_theme(theme(palette))
        if depth == "none":
            # Textual takes a terminal of which it knows no colours for one of all colours.
            self.no_color = True
            self._filters.append(NoColor())
        if self.no_color:
            # Chosen when no theme was known yet, Textual's filter turns the terminal's own
            # colours into black: frames would vanish on a dark terminal.
            self._filters = [
                NoColor() if isinstance(item, Monochrome) else item for item in self._filters
            ]
        self.theme = PLAIN.name if self.no_color else self.palettes[0].name

    # --- life -----------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[object]:
        """Return the main screen."""
        return MainScreen(id="main-screen")

    def on_ready(self) -> None:
        """Show the first paint, then connect."""
        self._events = asyncio.get_running_loop()
        self._events.set_exception_handler(self._task_failed)
        if self._signals:
            self._without_signals = on_ending_signals(self._leave)
        self._painter = Painter(
            self.main, self.session, self.offers, motion=self._motion, zone=self._look.zone
        )
        self.main.query_one(Welcome).hint = self._hint
        look = replace(self._look, pictures=self._draws_pictures, now=self.clock.now)
        self.main.query_one(Transcript).set_look(look)
        self._mark_own()
        composer = self.main.query_one(Composer)
        composer.act = self.perform
        composer.focus()
        self._swap_draft()
        self.paint()
        if self._notice:
            self.say(self._notice, "error", seconds=ERROR_NOTICE_S)
        self.session.start(self._chat_id)
        self.run_worker(self._drafts.load(self._restore))
        self.set_interval(ANIMATION_S if self._motion else STILL_ANIMATION_S, self._tick)

    async def on_unmount(self) -> None:
        """End everything that runs."""
        await self.inputs.close()
        await self._drafts.save()
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
        self._note_draft()
        super().exit(result, return_code, message)

    def _leave(self, code: int) -> None:
        """A signal asks to end: no questions, what was written is kept on disk."""
        self.exit(code, return_code=code)

    def contains(self, error: Exception) -> bool:
        """Take note of an error of the client's own; return False if it may end the client."""
        if not self._contains_errors or self._painter is None:
            return False
        self._handle_exception(error)
        return True

    def _handle_exception(self, error: Exception) -> None:
        # Textual's, which shows a traceback and ends.
        if not self._contains_errors:
            super()._handle_exception(error)
            return
        new = self.errors.note(error)
        if new is not None:
            self.errors.write(self.clock.now())
        if self._painter is None:
            self._give_up()
        elif new is not None and self.on_screen:
            try:
                self._tell(new)
            except Exception as second:  # noqa: BLE001 - it is noted, and would only come again
                self.errors.note(second)
                self.errors.write(self.clock.now())

    def _give_up(self) -> NoReturn:
        """End before the first paint: there is nothing to show an error in, and nothing to keep.

        At once, as Textual's own way out waits for a screen that was never put together.
        """
        if self._driver is not None:
            self._driver.stop_application_mode()
            self._driver.close()
        say_ended(self.errors.path)
        os._exit(1)

    def _tell(self, new: ErrorKind) -> None:
        """Say what happened, and how to pass it on."""
        words = (
            f"Something went wrong in the client: {new.type}.\n"  # where is in the report
            f"Your chats are not affected. {key_of('app.report')} copies a report."
        )
        self.say(words, "error", seconds=ERROR_NOTICE_S)
        self.call_later(self._close_broken)

    def _close_broken(self) -> None:
        """Close a dialog that could not be put together: there is nothing in it, nor a notice."""
        if self.on_screen and len(self.screen_stack) > 1 and not self.screen.children:
            self.close_dialog()

    def _task_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something that ran by itself failed, and nobody waits for it."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self._handle_exception(error)

    def _tick(self) -> None:
        """Move what moves by itself; a frame that was painted meanwhile has moved it."""
        painted, self._ticked = self._ticked, self._frames.painted
        painter = self._painter
        if painted == self._ticked and painter is not None and (painter.animated or painter.dated):
            self._changed()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through before it is written to the terminal."""
        return [*super().get_line_filters(), self._backstop]

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what the library copies from a field: as all else is copied, and said."""
        self._clipboard = encodable(text)  # what the library pastes
        self._put(text, "the selection")

    def _send_to_clipboard(self, text: str) -> None:
        super().copy_to_clipboard(text)

    # --- painting -------------------------------------------------------------------------

    def _daemon(self) -> str | None:
        """Return where the daemon answers, None while none does."""
        endpoint = self.session.endpoint
        return None if endpoint is None else str(endpoint)

    def _changed(self) -> None:
        # Not with the paint: what is typed, and Enter, go to the chat that is current by then.
        self._swap_draft()
        self._frames.request()

    def paint(self) -> None:
        """Show the session as it is now."""
        painter = self._painter
        if painter is None or not self.on_screen:
            return
        opened = self.open_things()
        top = next((words for thing, words in CLOSING_WORDS.items() if thing in opened), None)
        self._let_go()
        pane = self.main.query_one(ChatListPane)
        if self.shows_archived and not pane.has_focus and not self.session.is_archived:
            self.end_archived()
        choice = Choice(self.filter_text, self.shows_archived, self._drafts.chats)
        painter.paint(top, self.editing, self.dropped(), choice)
        bar = self.main.query_one(SearchBar)
        if bar.display:
            bar.show(self.search_words())

    def _let_go(self) -> None:
        """Forget the messages that are far from what is looked at."""
        transcript = self.main.query_one(Transcript)
        if transcript.chat != self.session.current:
            return
        if transcript.following:
            self.session.message_pages.to_end()
        elif (ids := transcript.ids_in_view()) is not None:
            self.session.message_pages.let_go(*ids)

    def _swap_draft(self) -> None:
        """Keep what is being written with its chat."""
        name = self.session.current
        if name == self._shown or self._painter is None or not self.on_screen:
            return
        composer = self.main.query_one(Composer)
        before, self._shown = self._shown, name
        if before is None:
            return
        editing, edited = self.editing, composer.text
        self.end_edit()
        text = self._drafts.get(name)
        if self.session.knows(before):
            if editing is not None:
                self._parked[before] = editing, edited
            self._drafts.put(before, composer.text)
        else:
            # It has become this chat, or is gone: what was being written to it stays in view.
            self._drafts.put(before, "")
            edited = edited if editing is not None else ""
            text = joined(text, composer.text, edited)
            self._drafts.put(name, text)
        if text != composer.text:
            composer.load_text(text)
            composer.move_cursor(composer.document.end)
        if (parked := self._parked.pop(name, None)) is not None:
            self.open_in_composer(*parked, focus=False)

    @property
    def _being_written(self) -> str:
        """What is a draft of the chat that is shown by now."""
        return self.main.query_one(Composer).text if self.editing is None else self._stashed

    def keep_for(self, name: str, content: str) -> None:
        """Keep what could not be said with the draft of its chat."""
        composer = self.main.query_one(Composer)
        if name != self._shown:
            self._drafts.put(name, joined(self._drafts.get(name), content))
        elif self.editing is not None:
            self._stashed = joined(self._stashed, content)
        else:
            composer.load_text(joined(composer.text, content))
            composer.move_cursor(composer.document.end)

    def _chat_gone(self, name: str, title: str, unsent: list[str]) -> str | None:
        """A chat was deleted: what was written to it, and not sent, moves to a new chat.

        Returns the chat to show in its place, if the list is looked at and nothing was written.
        """
        _, parked = self._parked.pop(name, (None, ""))
        shown = name == self._shown
        kept = joined("" if shown else self._drafts.get(name), parked, *unsent)
        self._drafts.put(name, "")
        written = kept or (shown and (self._being_written.strip() or self.editing is not None))
        which = quoted(title) if title or shown else "a chat that you were writing to"
        words = "" if name in self._filing else f"{which[:1].upper()}{which[1:]} was deleted."
        if written:
            words += " What you wrote to it is kept in a new chat."
        if words and (shown or written):
            self.say(words.strip(), "warning")
        if kept:
            is_new = self._shown is not None and self._shown.startswith(DRAFT)
            self.keep_for(self._shown if is_new and self._shown else NEW, kept)
        pane = self.main.query_one(ChatListPane)
        return pane.beside(name) if pane.has_focus and not written else None

    def on_text_area_changed(self) -> None:
        """Keep what is being written, a moment later, on disk; list the commands it may be."""
        if self.on_screen:
            self.list_commands()
        before = self._drafts.chats
        self._note_draft()
        if self._drafts.chats != before:
            self._changed()  # the list marks it

    def _note_draft(self) -> None:
        """Remember what is in the composer as what is being written to this chat."""
        if self._shown is not None and self.editing is None and self.on_screen:
            self._drafts.put(self._shown, self.main.query_one(Composer).text)

    def _restore(self) -> None:
        """The drafts were read: show the one of this chat, unless something was typed already."""
        if not self.on_screen:
            return
        composer = self.main.query_one(Composer)
        if not composer.text:
            composer.load_text(self._drafts.get(self.session.current))
            composer.move_cursor(composer.document.end)
        self.session.chat_pages.find_lost()
        self._changed()

    def on_resize(self, event: events.Resize) -> None:
        """Make room: a narrow window has the list as an overlay."""
        # Not our own size: that is still the one before.
        self.main.set_class(event.size.width < NARROW, "-narrow")
        self.main.set_class(event.size.height < FLAT, "-flat")
        self._changed()

    @property
    def _draws_pictures(self) -> bool:
        """Whether there are colours to draw pictures with."""
        return self._look.pictures and not self.no_color and not PALETTES.get(self.theme, DARK).own

    def watch_theme(self) -> None:
        """Draw everything again in the new colours."""
        if self._painter is not None:
            self._mark_own()
            transcript = self.main.query_one(Transcript)
            transcript.draw_pictures(self._draws_pictures)
            transcript.redraw()
            self.main.refresh(layout=True)

    def _mark_own(self) -> None:
        """Let frames and cursors say what the terminal's own colours may not."""
        self.set_class(PALETTES.get(self.theme, DARK).own, "-own")

    def on_transcript_moved(self) -> None:
        """Show how much is new below."""
        if self._painter is not None:
            self._painter.paint_new_lines()

    def on_descendant_focus(self) -> None:
        """Say what the part that has the focus now offers."""
        self._changed()

    def on_transcript_marked(self) -> None:
        """Say what Esc does now."""
        self._changed()

    def on_transcript_near_start(self) -> None:
        """Fetch what is older."""
        self.session.message_pages.older()

    def on_transcript_near_gap(self) -> None:
        """Fetch what is missing between."""
        self.session.message_pages.newer()

    def on_chat_list_pane_near_end(self, message: ChatListPane.NearEnd) -> None:
        """Fetch chats that are older, if they did not come since it was said."""
        wanted = self.main.query_one(ChatListPane).wanted
        if wanted is None:
            return
        if message.scrolled:
            self.session.chat_pages.again()
        self.session.chat_pages.more(archived=self.shows_archived, wanted=wanted)

    def on_chat_list_pane_filtered(self) -> None:
        """Show the chats that fit what is typed by now: the filter may be over already."""
        self.filter_text = self.main.query_one(ChatListPane).filter_text
        self._changed()

    def on_chat_list_pane_chosen(self, message: ChatListPane.Chosen) -> None:
        """Show the chat that was clicked."""
        self.session.open(message.chat_id)
        self.close_overlay()

    # --- actions --------------------------------------------------------------------------

    def offers(self, action: Action) -> bool:
        """Say whether `action` makes sense now."""
        if action.need == "error":
            return bool(self.errors)
        if action.need == "servers":
            return self._choices is not None
        if action.need == "searching":
            return self.main.query_one(Transcript).searching.active
        holds = NEEDS.get(action.need)
        return holds is None or holds(self.session)


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
    causes = tuple(_causes(data_dir, config, server))
    find = partial(find_servers, SystemClock())
    tools = SetupTools(os.environ, restart, find, partial(looked_at, causes))
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
        app.errors.note(error)
        app.errors.write(app.clock.now())
        result = 1
    finally:
        ended()
    if app.errors and (result == 1 or app.return_code == 1):
        say_ended(app.errors.path)
    code = app.return_code or (result if isinstance(result, int) else 0)
    return Left(code, app.session.view.chat_id, app.go_to)


def _causes(data_dir: Path, config: Path | None, server: Server | None) -> Iterator[Path]:
    """Yield the files that decide whether the daemon is reached: one that changes is tried anew."""
    if server is None or server.socket is not None:
        yield config or default_config_path()
        yield server.socket if server and server.socket else socket_path(data_dir)
        return
    yield client_config_path()
    yield from (path for path in (server.ca_file, server.token_file) if path is not None)
    if isinstance(server.place, Web):
        yield tokens().path(server.place)

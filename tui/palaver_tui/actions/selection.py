"""Actions of selecting and copying."""

from __future__ import annotations

from palaver_tui.actions.targets import Pointing
from palaver_tui.platform.clipboard import Clipboard
from palaver_tui.state.reduce import user_text
from palaver_tui.transcript.positions import Form
from palaver_tui.transcript.targets import Thing, copied
from palaver_tui.widgets.transcript.selection import Selecting as Selector


class Selecting(Pointing):
    """Moves the cursor, selects, and copies."""

    _copier: Clipboard

    @property
    def _selector(self) -> Selector:
        return self._text.selecting

    def do_transcript_select(self) -> None:
        """Show the cursor; with it, begin to select."""
        text = self._text
        text.focus()
        if not self._selector.by_keys:
            line = text.pointing.line if text.pointing.in_view() else None
            self._selector.begin(text.scroll_offset.y if line is None else line)
            text.pointing.point(None)
        else:
            self._selector.toggle()

    def _cursor(self, *, extend: bool = False) -> Selector:
        if not self._selector.by_keys:
            self.do_transcript_select()
        if extend:
            self._selector.extend()
        return self._selector

    def do_transcript_left(self) -> None:
        """Move the cursor to the left."""
        self._cursor().move(characters=-1)

    def do_transcript_right(self) -> None:
        """Move the cursor to the right."""
        self._cursor().move(characters=1)

    def do_transcript_word_left(self) -> None:
        """Move the cursor to the word before."""
        self._cursor().word(-1)

    def do_transcript_word_right(self) -> None:
        """Move the cursor to the next word."""
        self._cursor().word(1)

    def do_transcript_line_start(self) -> None:
        """Move the cursor to the beginning of its line."""
        self._cursor().line_end(last=False)

    def do_transcript_line_end(self) -> None:
        """Move the cursor to the end of its line."""
        self._cursor().line_end(last=True)

    def do_transcript_select_up(self) -> None:
        """Select to the line above."""
        self._cursor(extend=True).move(lines=-1)

    def do_transcript_select_down(self) -> None:
        """Select to the line below."""
        self._cursor(extend=True).move(lines=1)

    def do_transcript_select_left(self) -> None:
        """Select one character to the left."""
        self._cursor(extend=True).move(characters=-1)

    def do_transcript_select_right(self) -> None:
        """Select one character to the right."""
        self._cursor(extend=True).move(characters=1)

    # --- copying --------------------------------------------------------------------------

    def do_transcript_copy(self) -> None:
        """Copy what is selected, as it was written; or what is pointed at; or the last answer."""
        self._copy("source")

    def do_transcript_copy_plain(self) -> None:
        """Copy what is selected as it reads, without marks of Markdown."""
        self._copy("plain")

    def _copy(self, form: Form) -> None:
        text, pointing = self._text, self._text.pointing
        if self._selector.some:
            self._put(self._selector.text(form), "the selection")
            self._selector.clear()
        elif pointing.thing is not None and pointing.in_view():
            self.copy_thing(pointing.thing)
        elif (answer := self.session.last_answer()) and text is not None:
            self._put(answer, "the last answer")
        else:
            self.say("There is nothing to copy yet.")

    def copy_thing(self, thing: Thing) -> None:
        """Copy the code, the address, what a call gave, or the message."""
        if thing.kind == "message":
            self.do_transcript_copy_message()
            return
        words = {"link": "the address", "code": "the code"}.get(thing.kind, "what is folded here")
        self._put(copied(self._text.column, thing), words)

    def do_transcript_copy_message(self) -> None:
        """Copy a message, all of it, as it was written."""
        message = self.message_here()
        if message is not None and (text := user_text(message)):
            self._put(text, "the message")
        else:
            self.say("There is no text in this message.")

    def _put(self, text: str, what: str) -> None:
        if not text:
            self.say("There is no text to copy here.")
            return
        lines = text.count("\n") + 1
        if lines > 1:
            what += f" ({lines} lines)"
        self.run_worker(self._copied(text, what))

    async def _copied(self, text: str, what: str) -> None:
        try:
            done = await self._copier.copy(text)
        except OSError as error:
            self.say(f"Could not copy {what}: {error}.", "error")
            return
        self.say(done.words(what))

"""From keys to actions: each in its turn, and letters that nothing wanted to the composer."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import Input, TextArea

from palaver_tui.actions.general import General
from palaver_tui.keymap.actions import BY_ID, OVER_DIALOGS
from palaver_tui.textual_patches.key_queue import Inputs
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.help import HelpScreen
from palaver_tui.widgets.palette import Palette

# What opens over another dialog closes with its own key.
SCREENS: dict[str, type[HelpScreen | Palette]] = {
    "app.help": HelpScreen,
    "app.palette": Palette,
}


class Keying(General):
    """Takes what comes from the terminal."""

    inputs: Inputs

    async def on_event(self, event: events.Event) -> None:
        """Take what comes from the terminal in its turn, and all else at once."""
        is_input = isinstance(event, events.InputEvent | events.Paste)
        if is_input and not event.is_forwarded:
            await self.inputs.take(event)
        elif is_input and not self.screen_stack:
            event.stop()  # it comes back from a part that is gone: the client is leaving
        else:
            await super().on_event(event)

    async def give(self, event: events.Event) -> None:
        """Let an event take its way, now that it is its turn."""
        if isinstance(event, events.Key):
            now = self.session.clock.monotonic() if event.key == "enter" else float("-inf")
            self._entered, self._entered_before = now, self._entered
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
        self.close_dialog()
        self.close_overlay()
        composer = self.main.query_one(Composer)
        composer.insert(text)
        composer.focus()

    def action_perform(self, name: str) -> None:
        """Run an action by its id: what key bindings call."""
        self.perform(name)

    def perform(self, name: str) -> None:
        """Run an action by its id, if it makes sense now."""
        action = BY_ID[name]
        if len(self.screen_stack) > 1 and name not in {"chat.escape", "app.quit"}:
            if name not in OVER_DIALOGS:
                return
            same = isinstance(self.screen, SCREENS[name])
            self.close_dialog()
            if same:
                return
        if self.offers(action):
            method: Callable[[], None] = getattr(self, action.method)
            method()
            self._changed()
        elif action.need == "models":
            self.say("No model can be used yet. An empty chat says what helps.", "warning")

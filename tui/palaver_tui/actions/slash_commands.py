"""Commands: an action by its name, written in the composer after a slash."""

from __future__ import annotations

import re

from palaver_tui.actions.base import Base
from palaver_tui.keymap.actions import ACTIONS, BY_COMMAND, Action, key_of
from palaver_tui.widgets.command_list import CommandList
from palaver_tui.widgets.composer import Composer

# A path has more slashes, and what comes after an unknown word is a sentence.
WRITTEN = re.compile(r"/([a-z-]*)", re.IGNORECASE)
WITH_MORE = re.compile(r"/([a-z-]+)\s.*", re.IGNORECASE | re.DOTALL)


class Commanding(Base):
    """Lists, completes and runs commands. What looks like one is no message unless confirmed."""

    _doubted = ""  # what was said to be no command: Enter sends it now

    @property
    def _commands(self) -> CommandList:
        return self.main.query_one(CommandList)

    def _same_stroke(self) -> bool:
        """Say whether Enter came twice."""
        raise NotImplementedError

    def list_commands(self) -> None:
        """Show the commands that fit what is written by now."""
        text = self.main.query_one(Composer).text
        if text.strip() != self._doubted:
            self._doubted = ""
        found = WRITTEN.fullmatch(text.strip()) if self.editing is None else None
        fits: tuple[Action, ...] = ()
        if found is not None:
            word = found[1].lower()
            fitting = [one for one in ACTIONS if (one.command or "").startswith(word)]
            offered = [one for one in fitting if one.command and self.offers(one)]
            fits = tuple(sorted(offered, key=lambda one: one.command != word))
        if fits != self._commands.actions:
            self._changed()  # the frame below says what Enter does
        self._commands.show(fits, pick=found is not None and bool(found[1]))

    def move_command(self, steps: int) -> bool:
        """Pick the command `steps` below, if some are listed; say whether they are."""
        self.list_commands()
        if self._commands.actions:
            self._commands.move(steps)
        return bool(self._commands.actions)

    def do_composer_complete(self) -> None:
        """Write out the command that is picked, or else go to the next part."""
        self.list_commands()
        if not self._commands.actions:
            self.main.focus_next()
            return
        action = self._commands.picked or self._commands.actions[0]
        composer = self.main.query_one(Composer)
        composer.load_text(f"/{action.command}")
        composer.move_cursor(composer.document.end)

    def end_commands(self) -> None:
        """Take away what was written of a command."""
        self.main.query_one(Composer).clear()
        self.list_commands()

    def run_command(self) -> bool:
        """Run the command that is written. Returns False for a message; else it is no message.

        What is no command, or none now, is said once; after that it is a message.
        """
        self.list_commands()
        composer = self.main.query_one(Composer)
        text = composer.text.strip()
        found = WRITTEN.fullmatch(text) or WITH_MORE.fullmatch(text)
        if self.editing is not None or found is None:
            return False
        if self._commands.picked is not None:
            name = self._commands.picked.id
            composer.take()
            self.list_commands()
            self.perform(name)
            return True
        word = found[1].lower()
        is_known, is_alone = word in BY_COMMAND, WRITTEN.fullmatch(text) is not None
        if not is_known and not is_alone:
            return False
        if text == self._doubted:
            return self._same_stroke()
        self._doubted = text
        if not word:
            words = "A slash alone is no command"
        elif not is_known:
            words = f"There is no command /{word}"
        else:
            words = f"/{word} does nothing now" if is_alone else f"/{word} stands alone"
        self.say(f"{words}. {key_of('composer.send')} again sends it as a message.", "warning")
        return True

"""Slash commands, which run an action by its name: listed, completed and run in the composer.

A text that looks like a command is sent as a message only after a confirmation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from palaver_tui.actions.availability import offers
from palaver_tui.context.context import Context, Run
from palaver_tui.keymap.actions import ACTIONS, BY_COMMAND, Action, key_of

# A path has more slashes; an unknown word with more after it is a message.
WRITTEN = re.compile(r"/([a-z-]*)", re.IGNORECASE)
WITH_MORE = re.compile(r"/([a-z-]+)\s.*", re.IGNORECASE | re.DOTALL)


def list_commands(context: Context) -> None:
    """Show the commands that match the composer's text."""
    text, commands = context.screen.composer.text.strip(), context.screen.commands
    if text != context.doubted:
        context.doubted = ""
    found = WRITTEN.fullmatch(text) if context.editor.message is None else None
    fits: tuple[Action, ...] = ()
    if found is not None:
        word = found[1].lower()
        fitting = [one for one in ACTIONS if (one.command or "").startswith(word)]
        offered = [one for one in fitting if one.command and offers(context, one)]
        fits = tuple(sorted(offered, key=lambda one: one.command != word))
    if fits != commands.actions:
        context.changed()  # the composer's frame shows what Enter does
    commands.show(fits, pick=found is not None and bool(found[1]))


def move_pick(context: Context, steps: int) -> bool:
    """Pick the command `steps` below; return False if no commands are listed."""
    list_commands(context)
    commands = context.screen.commands
    if commands.actions:
        commands.move(steps)
    return bool(commands.actions)


def complete(context: Context) -> None:
    """Complete the picked or first command; if none is listed, focus the next part."""
    list_commands(context)
    commands = context.screen.commands
    if not commands.actions:
        context.screen.focus_next()
        return
    action = commands.picked or commands.actions[0]
    context.screen.composer.put(f"/{action.command}")


def end_command(context: Context) -> None:
    """Clear the composer, which has an incomplete command."""
    context.screen.composer.clear()
    list_commands(context)


def run_command(context: Context) -> bool:
    """Run the command in the composer; return False if the text is a message to send.

    For an unknown or impossible command a notice is shown; a later Enter sends it as a message.
    """
    list_commands(context)
    composer, commands = context.screen.composer, context.screen.commands
    text = composer.text.strip()
    found = WRITTEN.fullmatch(text) or WITH_MORE.fullmatch(text)
    if context.editor.message is not None or found is None:
        return False
    if commands.picked is not None:
        name = commands.picked.id
        composer.take()
        list_commands(context)
        context.perform(name)
        return True
    word = found[1].lower()
    is_known, is_alone = word in BY_COMMAND, WRITTEN.fullmatch(text) is not None
    if not is_known and not is_alone:
        return False
    if text == context.doubted:
        return False
    context.doubted = text
    if not word:
        words = "A slash alone is no command"
    elif not is_known:
        words = f"There is no command /{word}"
    else:
        words = f"/{word} does nothing now" if is_alone else f"/{word} stands alone"
    again = f"{key_of('composer.send')} again sends it as a message."
    context.notices.say(f"{words}. {again}", "warning")
    return True


FUNCTIONS: Final[Mapping[str, Run]] = {"composer.complete": complete}

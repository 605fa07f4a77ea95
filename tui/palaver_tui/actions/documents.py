"""Actions that write a chat to a file, and read one from a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Final

from palaver.wire.chats import Chat
from palaver.wire.protocol import EXPORTS
from palaver_tui.actions.edits import leave_edit
from palaver_tui.actions.wording import lacks, quoted
from palaver_tui.context.context import Context, Run
from palaver_tui.keymap.actions import key_of
from palaver_tui.widgets.dialogs.file_path import FileScreen

# What a name of a file does not have, on any system.
_NOT_IN_NAMES: Final = re.compile(r"[^\w.-]+")
_LONGEST: Final = 60  # characters of a suggested name, without its ending


def _can(context: Context) -> bool:
    """Return whether the daemon can export and import; if not, show a notice."""
    return not lacks(context, EXPORTS, "exports")


def export(context: Context) -> None:
    """Ask for a file, and write the current chat to it."""
    session = context.session
    if not _can(context):
        return

    def named(name: str, path: Path) -> None:
        session.requests.export(session.views[name], path)

    folder = _here()
    name = suggested(session.view.title, folder).name
    hint = "A name that ends with .json: to import; else Markdown, to read."
    title = "Export this chat to"
    dialog = FileScreen(title, hint, "export", folder, name, _cannot_be_written)
    context.dialogs.ask(dialog, named)


def suggested(title: str, folder: Path) -> Path:
    """Return the path of a new Markdown file in a folder, named after a title."""
    stem = _NOT_IN_NAMES.sub("-", title)[:_LONGEST].strip("-.") or "chat"
    return next(path for path in _paths(folder, stem) if not path.exists())


def _here() -> Path:
    """Return the working directory; the home directory if that is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path.home()


def _paths(folder: Path, stem: str) -> Iterator[Path]:
    yield folder / f"{stem}.md"
    for number in count(2):
        yield folder / f"{stem}-{number}.md"


def _cannot_be_written(path: Path) -> str | None:
    if path.exists():
        return "There is a file of this name. Nothing is replaced: choose another one."
    if not path.parent.is_dir():
        return f"There is no directory {path.parent}."
    return None


def import_chat(context: Context) -> None:
    """Ask for a file, create a chat from it, and show that.

    If the user has gone on to something else by then, a notice says where it is.
    """
    if not _can(context):
        return

    def named(path: Path) -> None:
        place = context.place

        def done(chat: Chat) -> None:
            if context.place != place:
                list_key = key_of("chats.toggle")
                words = f"{quoted(chat.title)} is imported. {list_key} goes to the chats."
                context.notices.say(words)
                return
            leave_edit(context)
            context.session.open(chat.id)
            context.screen.composer.focus()
            context.notices.say(f"You are in {quoted(chat.title)} now, which was imported.")

        context.session.requests.import_chat(path, done)

    hint = "A file that was exported as JSON."
    dialog = FileScreen("Import a chat from", hint, "import", _here(), "", _no_file)
    context.dialogs.open(dialog, named)


def _no_file(path: Path) -> str | None:
    return None if path.is_file() else "There is no file of this name."


FUNCTIONS: Final[Mapping[str, Run]] = {
    "chat.export": export,
    "chat.import": import_chat,
}

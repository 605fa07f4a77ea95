"""`edit_files` and `write_file`: all changes are computed first, and a failure writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from palaverd.tools.failures import ToolError
from palaverd.tools.files.changes import Change, current, marks_of, states_of, write
from palaverd.tools.files.diffs import diffs_of
from palaverd.tools.files.opened import UTF_8, text_of
from palaverd.tools.files.replacement import NotReplaced, replaced
from palaverd.tools.running import Running
from palaverd.tools.tool import (
    Actor,
    Found,
    Intent,
    NotBegun,
    Outcome,
    Unknown,
    reading,
    telling,
)

_PATH = Meta(description="Relative to the workspace, or absolute inside it.")


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One replacement in a file."""

    path: Annotated[str, _PATH]
    old_text: Annotated[
        str,
        Meta(
            description="The text to replace, as it is in the file, with enough lines around it to "
            "be there once. Empty: the file is new or empty."
        ),
    ]
    new_text: str
    replace_all: Annotated[bool, Meta(description="Replace it wherever it is.")] = False


class EditFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Replacements, done in order."""

    edits: Annotated[list[Edit], Meta(min_length=1)]


class WriteFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file's whole new content."""

    path: Annotated[str, _PATH]
    content: str


def edited(running: Running, given: EditFiles) -> list[Change]:
    """Return the changes that the edits make, one for each file, in the order of the edits.

    Raises:
        ToolError: an edit cannot be done. The message names it.
    """
    changes: dict[str, Change] = {}
    for number, edit in enumerate(given.edits, start=1):
        change = current(running.root, edit.path)
        change = changes.get(change.path, change)
        try:
            after = _edited(change, edit)
        except ToolError as error:
            raise ToolError(
                f"Edit {number} of {len(given.edits)} cannot be done, and nothing was written. "
                f"{error}"
            ) from None
        changes[change.path] = msgspec.structs.replace(change, after=after)
    return list(changes.values())


def written(running: Running, given: WriteFile) -> list[Change]:
    """Return the change that writes the file."""
    change = current(running.root, given.path)
    return [msgspec.structs.replace(change, after=UTF_8.encoded(given.content))]


def _edited(change: Change, edit: Edit) -> bytes:
    if not edit.old_text and not change.after:
        return UTF_8.encoded(edit.new_text)
    if change.before is None and not change.after:
        raise ToolError(f"There is no file {change.path}; an empty old text would create it.")
    text, encoding = text_of(change.path, change.after)
    try:
        new = replaced(text, edit.old_text, edit.new_text, every=edit.replace_all)
    except NotReplaced as error:
        raise ToolError(f"{change.path} {error}.") from None
    return encoding.encoded(new)


Changing = Callable[[Running, Any], list[Change]]


async def _intend(changing: Changing, running: Running, given: Any) -> Intent:
    changes = await asyncio.to_thread(changing, running, given)

    async def act() -> Outcome:
        await asyncio.to_thread(write, running.root, changes, running.call_id)
        return Outcome(diffs_of(changes) or "Nothing changed: the content was the same.")

    return Intent(act, marks_of(changes))


async def _find(changing: Changing, running: Running, given: Any, trace: str | None) -> Found:
    """Find out which files were written, and write those that are left."""
    if trace is None:
        return Unknown("Nobody knows whether the files were written: read them.")
    states = await asyncio.to_thread(states_of, running.root, trace)
    others = [path for path, state in states.items() if state == "other"]
    if others:
        return Unknown(
            f"The daemon ended while it wrote, and {', '.join(others)} is neither as before nor as "
            "it was to be: read it."
        )
    left = {path for path, state in states.items() if state == "before"}
    if len(left) == len(states):
        return NotBegun()
    if left:
        await asyncio.to_thread(_write_left, changing, running, given, left)
    return Outcome(f"Written: {', '.join(states)}.")


def _write_left(changing: Changing, running: Running, given: Any, left: set[str]) -> None:
    """Write the files that a crash left as they were; edits of one file do not need another."""
    kept = _only(given, running, left)
    write(running.root, changing(running, kept), running.call_id)


def _only(given: Any, running: Running, paths: set[str]) -> Any:
    if not isinstance(given, EditFiles):
        return given
    edits = [edit for edit in given.edits if current(running.root, edit.path).path in paths]
    return EditFiles(edits)


def _actor(name: str, said: str, parameters: type[Any], changing: Changing) -> Actor[Any]:
    async def intend(running: Running, given: Any) -> Intent:
        return await _intend(changing, running, given)

    async def find(running: Running, given: Any, trace: str | None) -> Found:
        return await _find(changing, running, given, trace)

    return Actor(
        name,
        telling(name, said, parameters),
        reading(name, parameters),
        intend,
        find,
        needs_workspace=True,
    )


EDIT_FILES = _actor(
    "edit_files",
    """
    Replace passages in text files. All edits are done or none. Returns a diff of each file. A
    passage is found also if only blanks at line ends, or the indentation, differ.
    """,
    EditFiles,
    edited,
)
WRITE_FILE = _actor(
    "write_file",
    "Write a whole file; missing directories are made. To change a part, use edit_files.",
    WriteFile,
    written,
)

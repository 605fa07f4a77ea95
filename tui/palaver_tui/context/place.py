"""Where the user is, to notice whether they have gone on while a request was answered."""

from __future__ import annotations

import msgspec
from textual.widget import Widget


class UserPlace(msgspec.Struct, frozen=True):
    """The chat, the focused part, the number of edits in the composer, whether a dialog is open.

    If two are equal, the user has begun nothing else in between: the screen may change.
    """

    chat: str
    focused: Widget | None
    edits: int
    in_dialog: bool

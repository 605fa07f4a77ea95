"""Dialog: the base class of modal screens."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.screen import ModalScreen

from palaver_tui.keymap.actions import key_name, key_of

T = TypeVar("T")


def keys_below(verb: str = "") -> str:
    """Return the keys for a dialog's lower edge; `verb` is what Enter does, "" for nothing."""
    closes = f"{key_of('chat.escape')} closes"
    return f"{key_name('enter')} {verb} · {closes}" if verb else closes


class Dialog(ModalScreen[T], Generic[T]):
    """A centred box. It answers once: a second key has no effect."""

    def answer(self, given: T | None) -> None:
        """Close the dialog with the result `given`."""
        if self.is_current:
            self.dismiss(given)

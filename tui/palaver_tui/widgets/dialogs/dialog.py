"""What lies over everything else until it is answered."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.screen import ModalScreen

from palaver_tui.keymap.actions import key_name, key_of

T = TypeVar("T")


def keys_below(verb: str = "") -> str:
    """Return what is on the lower edge of a dialog; `verb` is what Enter does, if anything."""
    closes = f"{key_of('chat.escape')} closes"
    return f"{key_name('enter')} {verb} · {closes}" if verb else closes


class Dialog(ModalScreen[T], Generic[T]):
    """A box in the middle. It gives its answer once: to a second key it is gone."""

    def answer(self, given: T | None) -> None:
        """Close, and hand `given` to who asked."""
        if self.is_current:
            self.dismiss(given)

"""What lies over everything else until it is answered."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.screen import ModalScreen

T = TypeVar("T")


class Dialog(ModalScreen[T], Generic[T]):
    """A box in the middle. It gives its answer once: to a second key it is gone."""

    def answer(self, given: T | None) -> None:
        """Close, and hand `given` to who asked."""
        if self.is_current:
            self.dismiss(given)

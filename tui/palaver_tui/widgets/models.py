"""The list of models to choose from."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from palaver.wire.chats import Model
from palaver_tui.layout.visible import visible_line


def _prompt(model: Model, current: str | None) -> Content:
    mark = "● " if model.name == current else "  "
    limit = f"  {model.context_limit // 1000}k" if model.context_limit else ""
    lines = [
        Content.assemble(
            (mark, "$accent"),
            (visible_line(model.name), "bold"),
            (
                f"  {visible_line(model.provider)} · {visible_line(model.model)}{limit}",
                "$palaver-muted",
            ),
        )
    ]
    if model.unavailable is not None:
        lines.append(Content.styled(f"  {visible_line(model.unavailable.message)}", "$warning"))
    return Content("\n").join(lines)


class ModelPicker(ModalScreen[str | None]):
    """Gives the name of the chosen model, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, models: list[Model], current: str | None) -> None:
        super().__init__()
        self._models = models
        self._current = current

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Vertical(id="models") as box:
            box.border_title = Content("Who answers")
            box.border_subtitle = Content("⏎ choose · Esc closes")
            yield OptionList(
                *[
                    Option(_prompt(model, self._current), disabled=model.unavailable is not None)
                    for model in self._models
                ],
                markup=False,
            )

    def on_mount(self) -> None:
        """Begin at the model in use."""
        names = [model.name for model in self._models]
        if self._current in names:
            self.query_one(OptionList).highlighted = names.index(self._current)

    def action_down(self) -> None:
        """Highlight the next model."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Highlight the model above."""
        self.query_one(OptionList).action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the chosen one."""
        self.dismiss(self._models[event.option_index].name)

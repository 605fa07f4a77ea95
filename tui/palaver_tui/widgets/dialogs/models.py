"""Model picker: the dialog to choose a model."""

from __future__ import annotations

from textual.content import Content

from palaver.wire.chats import Model
from palaver_tui.text.visible import visible_line
from palaver_tui.widgets.dialogs.picker import Choice, Picker


def model_picker(models: list[Model], current: str | None) -> Picker:
    """Return a picker that answers with a model's name; `current` is the one in use."""
    choices = [
        Choice(
            model.name,
            f"{visible_line(model.name)} {visible_line(model.provider)}",
            _shown(model, current),
            enabled=model.unavailable is None,
        )
        for model in models
    ]
    return Picker("Who answers", choices, placeholder="Find a model", current=current)


def _shown(model: Model, current: str | None) -> Content:
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

"""The actions and keys of a question that the model asks."""

from __future__ import annotations

from palaver.wire.questions import MOST_OPTIONS
from palaver_tui.keymap.action import Action

NUMBERS = tuple(str(number) for number in range(1, MOST_OPTIONS + 1))

QUESTIONS: tuple[Action, ...] = (
    Action("question.up", "Option above", "Select.", "question", ("up",)),
    Action("question.down", "Option below", "Select.", "question", ("down",)),
    Action(
        "question.choose",
        "Answer with this option",
        "Or write an answer of your own: letters go into the composer.",
        "question",
        ("enter",),
    ),
    Action(
        "question.number",
        "Answer by number",
        "With the option of that number, at once.",
        "question",
        NUMBERS,
    ),
)

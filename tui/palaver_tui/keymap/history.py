"""The actions and keys of the conversation that change the history or request an answer."""

from __future__ import annotations

from palaver_tui.keymap.action import Action

HISTORY: tuple[Action, ...] = (
    Action(
        "transcript.edit",
        "Edit a message of yours",
        "Say the message pointed at anew, or else the last one. What came after it is dropped:"
        " the composer's frame says how much.",
        "transcript",
        ("e",),
        need="said",
        command="edit",
    ),
    Action(
        "transcript.fork",
        "Fork from this message",
        "Go on in a new chat with all up to the message pointed at, or else with the whole.",
        "transcript",
        ("f",),
        need="said",
        command="fork",
    ),
    Action(
        "chat.clear",
        "Let the model forget",
        "What was said so far is hidden from the model, not from you. Asks first.",
        "transcript",
        ("x",),
        need="said",
        command="clear",
    ),
    Action(
        "transcript.retry",
        "Do what is offered",
        "Try again, or go on now: what the banner offers first.",
        "transcript",
        ("r",),
    ),
    Action(
        "transcript.model",
        "Choose a model",
        "Let another model answer.",
        "transcript",
        ("m",),
        need="models",
    ),
)

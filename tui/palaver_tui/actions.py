"""Every action there is: one table that feeds key bindings, palette, footer and help.

A new action is a row here and a method `do_<id, dots as underscores>` of the application.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

# Where a key works. `app`: everywhere, before any part sees it; `escape` is special, see view.
Scope = Literal["app", "composer", "transcript", "chats", "queue", "banner"]
# What must hold for an action to be offered.
Need = Literal["always", "stoppable", "retrying", "failed", "queue", "offline", "chat"]


@dataclass(frozen=True)
class Action:
    """One action. `footer` is its short name there, None to stay out of it."""

    id: str
    title: str
    help: str
    scope: Scope
    keys: tuple[str, ...] = ()
    footer: str | None = None
    need: Need = "always"
    palette: bool = True

    @property
    def method(self) -> str:
        """The name of the application's method."""
        return "do_" + self.id.replace(".", "_")


ACTIONS: tuple[Action, ...] = (
    Action(
        "chat.new",
        "New chat",
        "Begin a chat; it exists once you send something.",
        "app",
        ("ctrl+n",),
        "new",
    ),
    Action(
        "app.palette",
        "Commands",
        "Find and run any action by name.",
        "app",
        ("ctrl+k",),
        "commands",
        palette=False,
    ),
    Action(
        "chats.toggle",
        "Chats",
        "Go to the list of chats; in a narrow window, open it.",
        "app",
        ("ctrl+l",),
        "chats",
    ),
    Action(
        "chat.escape",
        "Close or stop",
        "Closes what is open; with nothing open, stops the answer and holds the queue.",
        "app",
        ("escape",),
        None,
        palette=False,
    ),
    Action(
        "chat.stop",
        "Stop the answer",
        "What was written so far is kept; the queue is held.",
        "app",
        (),
        None,
        "stoppable",
    ),
    Action(
        "view.end",
        "Go to the end",
        "Show the newest text and follow it again.",
        "app",
        ("ctrl+end",),
        None,
    ),
    Action(
        "view.transcript",
        "Go to the conversation",
        "Move the focus there, to scroll and search.",
        "app",
        ("ctrl+t",),
    ),
    Action(
        "view.reasoning",
        "Show or hide reasoning",
        "Unfold what the model thought.",
        "app",
        ("ctrl+r",),
    ),
    Action(
        "banner.primary",
        "Do what is offered",
        "What Enter does in an empty composer: try again, go on now, release the queue.",
        "app",
        ("ctrl+g",),
        palette=False,
    ),
    Action("app.reconnect", "Connect again", "Try to reach the daemon now.", "app", need="offline"),
    Action(
        "retry.now", "Try again now", "Do not wait for the retry's time.", "app", need="retrying"
    ),
    Action(
        "error.retry",
        "Try again",
        "Run the failed turn once more; nothing has to be written again.",
        "app",
        need="failed",
    ),
    Action(
        "model.choose",
        "Choose a model",
        "Let another model answer from now on; a waiting retry goes on with it.",
        "app",
        ("ctrl+p",),
    ),
    Action(
        "queue.focus",
        "Queue",
        "Go to the messages that wait: edit, move, send now, remove.",
        "app",
        ("ctrl+o",),
        "queue",
        "queue",
    ),
    Action(
        "queue.hold",
        "Hold or release the queue",
        "A held queue waits until you release it.",
        "queue",
        ("h",),
        need="queue",
    ),
    Action(
        "error.detail",
        "Details of the error",
        "Show the provider's own words and the request.",
        "app",
        ("ctrl+e",),
        None,
        "failed",
    ),
    Action("app.theme", "Next theme", "Dark, light, high contrast, plain.", "app", ("f2",)),
    Action("app.help", "Help", "Show all keys.", "app", ("f1",), None),
    Action(
        "app.quit", "Quit", "Leave the client; the daemon goes on without it.", "app", ("ctrl+q",)
    ),
    Action(
        "composer.send",
        "Send",
        "Send the message; while an answer runs, queue it.",
        "composer",
        ("enter",),
        None,
        palette=False,
    ),
    Action(
        "composer.interrupt",
        "Send now",
        "Stop the answer and send this instead.",
        "composer",
        ("alt+enter",),
        None,
        palette=False,
    ),
    Action(
        "composer.newline",
        "New line",
        "Begin a new line in the message.",
        "composer",
        ("ctrl+j", "alt+j", "shift+enter"),
        None,
        palette=False,
    ),
    Action("transcript.up", "Line up", "Scroll up.", "transcript", ("up", "k"), palette=False),
    Action(
        "transcript.down", "Line down", "Scroll down.", "transcript", ("down", "j"), palette=False
    ),
    Action(
        "transcript.page_up",
        "Page up",
        "Scroll up by a page; works from the composer too.",
        "transcript",
        ("pageup", "b"),
        palette=False,
    ),
    Action(
        "transcript.page_down",
        "Page down",
        "Scroll down by a page.",
        "transcript",
        ("pagedown", "space"),
        palette=False,
    ),
    Action(
        "transcript.home",
        "Beginning",
        "Go to the oldest message.",
        "transcript",
        ("home", "g"),
        palette=False,
    ),
    Action(
        "transcript.end",
        "End",
        "Go to the newest text and follow it.",
        "transcript",
        ("end", "G"),
        palette=False,
    ),
    Action(
        "transcript.copy",
        "Copy",
        "Copy the selected text, or else the last answer.",
        "transcript",
        ("c", "y"),
    ),
    Action(
        "chats.up", "Previous chat", "Show the chat above.", "chats", ("up", "k"), palette=False
    ),
    Action(
        "chats.down", "Next chat", "Show the chat below.", "chats", ("down", "j"), palette=False
    ),
    Action(
        "chats.first", "First chat", "Show the first chat.", "chats", ("home", "g"), palette=False
    ),
    Action("chats.last", "Last chat", "Show the last chat.", "chats", ("end", "G"), palette=False),
    Action(
        "chats.open",
        "Open",
        "Go to the composer of the chat that is shown.",
        "chats",
        ("enter", "right"),
        palette=False,
    ),
    Action(
        "chats.filter",
        "Filter the chats",
        "Show those whose titles have these words; status:failed and the like work too.",
        "chats",
        ("slash",),
    ),
    Action(
        "chat.rename",
        "Rename this chat",
        "Give the chat that is shown another title.",
        "chats",
        ("r",),
        need="chat",
    ),
    Action(
        "transcript.retry",
        "Do what is offered",
        "Try again, or go on now: what the banner offers first.",
        "transcript",
        ("r",),
        palette=False,
    ),
    Action(
        "transcript.model",
        "Choose a model",
        "Let another model answer.",
        "transcript",
        ("m",),
        palette=False,
    ),
    Action("queue.up", "Message above", "Select.", "queue", ("up", "k"), palette=False),
    Action("queue.down", "Message below", "Select.", "queue", ("down", "j"), palette=False),
    Action(
        "queue.send",
        "Send this one now",
        "Stops the answer that runs; this message is answered next.",
        "queue",
        ("enter",),
        palette=False,
    ),
    Action(
        "queue.edit",
        "Take back to edit",
        "Opens it in the composer; its place in the queue is kept.",
        "queue",
        ("e",),
        palette=False,
    ),
    Action(
        "queue.remove",
        "Remove",
        "Take it out of the queue.",
        "queue",
        ("d", "delete"),
        palette=False,
    ),
    Action(
        "queue.raise", "Move up", "Answer it earlier.", "queue", ("shift+up", "K"), palette=False
    ),
    Action(
        "queue.lower", "Move down", "Answer it later.", "queue", ("shift+down", "J"), palette=False
    ),
    Action(
        "composer.recall",
        "Take back",
        "In an empty composer: the message that was not sent, the last one that waits, or else"
        " what you wrote before.",
        "composer",
        ("up",),
        palette=False,
    ),
    Action(
        "composer.newer",
        "Write on",
        "From an earlier message of yours back to the empty composer.",
        "composer",
        ("down",),
        palette=False,
    ),
)
BY_ID = {action.id: action for action in ACTIONS}

_KEY_NAMES = {
    "ctrl": "^",
    "escape": "Esc",
    "enter": "⏎",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "space": "Space",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "slash": "/",
}


def key_name(key: str) -> str:
    """Return a key as people write it: `ctrl+n` is `^n`, `alt+enter` is `Alt+⏎`."""
    *modifiers, last = key.split("+")
    name = _KEY_NAMES.get(last, last.upper() if last.startswith("f") and last[1:] else last)
    if modifiers == ["ctrl"]:
        return f"^{name}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def bindings(scope: Scope) -> list[BindingType]:
    """Return the bindings of `scope`. Those of the application come before any widget's own."""
    return [
        Binding(
            ",".join(action.keys),
            f"app.perform('{action.id}')",
            action.title,
            show=False,
            priority=scope == "app",
            id=action.id,
        )
        for action in ACTIONS
        if action.scope == scope and action.keys
    ]

"""Every action there is: one table that feeds key bindings, palette, footer, help and sentences.

A new action is a row here and a method `do_<id, dots as underscores>` of the application.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Where a key works. `app`: everywhere, before any part sees it; `escape` is special, see view.
Scope = Literal["app", "composer", "transcript", "search", "chats", "queue", "banner"]
# What must hold for an action to be offered.
Need = Literal[
    "always",
    "stoppable",
    "retrying",
    "failed",
    "queue",
    "offline",
    "chat",
    "searching",
    "models",
    "setup.restart",
    "setup.local",
    "present",
    "archived",
    "said",
    "error",
    "servers",
]


@dataclass(frozen=True)
class Action:
    """One action. `footer` is its short name there, None to stay out of it.

    `command` is its name in the composer, after a slash: whatever has one is in the palette too.

    `keys` arrive from every terminal, also through ssh, tmux and screen; `extra` only from those
    that can tell them from others: elsewhere Alt+Enter and Shift+Enter come as Enter.
    """

    id: str
    title: str
    help: str
    scope: Scope
    keys: tuple[str, ...] = ()
    footer: str | None = None
    need: Need = "always"
    command: str | None = None
    extra: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """The name of the application's method."""
        return "do_" + self.id.replace(".", "_")


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
    "comma": ",",
    "full_stop": ".",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "dollar_sign": "$",
}


def key_name(key: str) -> str:
    """Return a key as people write it: `ctrl+n` is `^n`, `alt+enter` is `Alt+⏎`."""
    *modifiers, last = key.split("+")
    name = _KEY_NAMES.get(last, last.upper() if last.startswith("f") and last[1:] else last)
    if modifiers == ["ctrl"]:
        return f"^{name}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


UNDO_KEY, ENTER_KEY = "ctrl+z", "enter"
UNDO, ENTER = key_name(UNDO_KEY), key_name(ENTER_KEY)

ACTIONS: tuple[Action, ...] = (
    Action(
        "chat.new",
        "New chat",
        "Begin a chat; it exists once you send something.",
        "app",
        ("ctrl+n",),
        "new",
        command="new",
    ),
    Action(
        "app.palette",
        "Commands",
        "Find and run any action by name.",
        "app",
        ("ctrl+p",),
        "commands",
    ),
    Action(
        "chats.toggle",
        "Chats",
        "Go to the list of chats; in a narrow window, open it.",
        "app",
        ("ctrl+l",),
        "chats",
        command="chats",
    ),
    Action(
        "chat.escape",
        "Close or stop",
        "Closes what is open; with nothing open, stops the answer and holds the queue.",
        "app",
        ("escape",),
        None,
    ),
    Action(
        "chat.stop",
        "Stop the answer",
        "What was written so far is kept; the queue is held.",
        "app",
        (),
        None,
        "stoppable",
        command="stop",
    ),
    Action(
        "view.end",
        "Go to the end",
        "Show the newest text and follow it again.",
        "app",
        ("ctrl+end",),
        None,
        command="end",
    ),
    Action(
        "view.transcript",
        "Go to the conversation",
        "Move the focus there, to scroll and search.",
        "app",
        ("ctrl+t",),
        command="conversation",
    ),
    Action(
        "view.find",
        "Find in this conversation",
        "Find words, also in what is folded and in older messages.",
        "app",
        ("ctrl+f",),
        command="find",
    ),
    Action(
        "view.reasoning",
        "Show or hide reasoning",
        "Unfold what the model thought.",
        "app",
        ("ctrl+r",),
        command="reasoning",
    ),
    Action(
        "banner.primary",
        "Do what is offered",
        f"What {ENTER} does in an empty composer: try again, go on now, release the queue.",
        "app",
        ("ctrl+g",),
    ),
    Action(
        "app.reconnect",
        "Connect again",
        "Try to reach the daemon now.",
        "app",
        need="offline",
        command="reconnect",
    ),
    Action(
        "retry.now",
        "Try again now",
        "Do not wait for the retry's time.",
        "app",
        need="retrying",
        command="retry-now",
    ),
    Action(
        "error.retry",
        "Try again",
        "Run the failed turn once more; nothing has to be written again.",
        "app",
        need="failed",
        command="retry",
    ),
    Action(
        "model.choose",
        "Choose a model",
        "Let another model answer from now on; a waiting retry goes on with it.",
        "app",
        ("f3",),
        need="models",
        command="model",
    ),
    Action(
        "server.choose",
        "Choose a server",
        "Go to the daemon of another machine, or of this one. What is written here is kept.",
        "app",
        need="servers",
        command="server",
    ),
    Action(
        "setup.restart",
        "Start the daemon anew with the key",
        "With the keys of this shell, which it began without. Answers go on.",
        "app",
        need="setup.restart",
        command="restart",
    ),
    Action(
        "setup.local",
        "Use this machine's model server",
        "Write a config.toml that names it, where there is none.",
        "app",
        need="setup.local",
        command="use-local",
    ),
    Action(
        "queue.focus",
        "Queue",
        "Go to the messages that wait: edit, move, send now, remove.",
        "app",
        ("ctrl+o",),
        "queue",
        "queue",
        command="queue",
    ),
    Action(
        "queue.hold",
        "Hold or release the queue",
        "A held queue waits until you release it.",
        "queue",
        ("h",),
        need="queue",
        command="hold",
    ),
    Action(
        "error.detail",
        "Details of the error",
        "Show the provider's own words and the request.",
        "app",
        ("f4",),
        None,
        "failed",
        command="details",
    ),
    Action(
        "app.report",
        "Copy the report of an error",
        "What went wrong in the client itself, for who can mend it; without any message.",
        "app",
        ("f8",),
        need="error",
        command="report",
    ),
    Action(
        "app.undo",
        "Undo",
        "Take back what came last: archiving a chat, removing from the queue, what was typed.",
        "app",
        (UNDO_KEY,),
        command="undo",
    ),
    Action(
        "app.theme",
        "Next theme",
        "Dark, light, high contrast, plain.",
        "app",
        ("f2",),
        command="theme",
    ),
    Action("app.help", "Help", "Show all keys.", "app", ("f1",), None, command="help"),
    Action(
        "app.quit",
        "Quit",
        "Leave the client; the daemon goes on without it.",
        "app",
        ("ctrl+q",),
        command="quit",
    ),
    Action(
        "composer.send",
        "Send",
        "Send the message; while an answer runs, queue it.",
        "composer",
        (ENTER_KEY,),
        None,
    ),
    Action(
        "composer.interrupt",
        "Send now",
        "Stop the answer and send this instead; what waits in the queue comes after it.",
        "composer",
        ("ctrl+s", "alt+i"),
        None,
        extra=("alt+enter",),
    ),
    Action(
        "composer.newline",
        "New line",
        "Begin a new line in the message.",
        "composer",
        ("ctrl+j", "alt+j"),
        None,
        extra=("shift+enter",),
    ),
    Action(
        "composer.page_up",
        "Page up",
        "Scroll the conversation up by a page.",
        "composer",
        ("pageup",),
    ),
    Action(
        "composer.page_down",
        "Page down",
        "Scroll the conversation down by a page.",
        "composer",
        ("pagedown",),
    ),
    Action("transcript.up", "Line up", "Scroll up.", "transcript", ("up", "k")),
    Action("transcript.down", "Line down", "Scroll down.", "transcript", ("down", "j")),
    Action(
        "transcript.page_up",
        "Page up",
        "Scroll up by a page.",
        "transcript",
        ("pageup", "b"),
    ),
    Action(
        "transcript.page_down",
        "Page down",
        "Scroll down by a page.",
        "transcript",
        ("pagedown", "space"),
    ),
    Action(
        "transcript.home",
        "Beginning",
        "Go to the oldest message.",
        "transcript",
        ("home", "g"),
    ),
    Action(
        "transcript.end",
        "End",
        "Go to the newest text and follow it.",
        "transcript",
        ("end", "G"),
    ),
    Action(
        "transcript.find",
        "Find",
        "Type what to find in this conversation.",
        "transcript",
        ("slash",),
    ),
    Action(
        "transcript.found_older",
        "Match above",
        "Go to the next match above; on into older messages.",
        "transcript",
        ("n",),
        need="searching",
        command="match-above",
    ),
    Action(
        "transcript.found_newer",
        "Match below",
        "Go to the next match below.",
        "transcript",
        ("N",),
        need="searching",
        command="match-below",
    ),
    Action(
        "transcript.previous_thing",
        "Thing above",
        "Point at what folds, opens or can be copied above.",
        "transcript",
        ("comma",),
    ),
    Action(
        "transcript.next_thing",
        "Thing below",
        "Point at what folds, opens or can be copied below.",
        "transcript",
        ("full_stop",),
    ),
    Action(
        "transcript.use",
        "Fold, unfold or open",
        "What is pointed at: a call, reasoning, steps, a link, a picture, code to copy.",
        "transcript",
        ("enter", "o"),
    ),
    Action(
        "transcript.fold_all",
        "Fold or unfold everything",
        "All calls, steps and reasoning of this conversation.",
        "transcript",
        ("z",),
        command="fold",
    ),
    Action(
        "transcript.previous_message",
        "Message above",
        "Go to the beginning of this message, or of the one above.",
        "transcript",
        ("left_square_bracket",),
        command="message-above",
    ),
    Action(
        "transcript.next_message",
        "Message below",
        "Go to the next message.",
        "transcript",
        ("right_square_bracket",),
        command="message-below",
    ),
    Action(
        "transcript.previous_own",
        "Your message above",
        "Go to what you wrote before.",
        "transcript",
        ("left_curly_bracket",),
        command="yours-above",
    ),
    Action(
        "transcript.next_own",
        "Your message below",
        "Go to what you wrote next.",
        "transcript",
        ("right_curly_bracket",),
        command="yours-below",
    ),
    Action(
        "transcript.select",
        "Select text",
        "Show a cursor; again, select from there on. Arrows move it.",
        "transcript",
        ("v",),
        command="select",
    ),
    Action(
        "transcript.left",
        "Cursor left",
        "Move the cursor.",
        "transcript",
        ("left", "h"),
    ),
    Action(
        "transcript.right",
        "Cursor right",
        "Move the cursor.",
        "transcript",
        ("right", "l"),
    ),
    Action(
        "transcript.word_left",
        "Word left",
        "Move the cursor to a word.",
        "transcript",
        ("ctrl+left",),
    ),
    Action(
        "transcript.word_right",
        "Word right",
        "Move the cursor to the next word.",
        "transcript",
        ("ctrl+right", "w"),
    ),
    Action(
        "transcript.line_start",
        "Start of the line",
        "Move the cursor there.",
        "transcript",
        ("0",),
    ),
    Action(
        "transcript.line_end",
        "End of the line",
        "Move the cursor there.",
        "transcript",
        ("dollar_sign",),
    ),
    Action(
        "transcript.select_up",
        "Select upwards",
        "Select to the line above.",
        "transcript",
        ("shift+up",),
    ),
    Action(
        "transcript.select_down",
        "Select downwards",
        "Select to the line below.",
        "transcript",
        ("shift+down",),
    ),
    Action(
        "transcript.select_left",
        "Select to the left",
        "Select one character more.",
        "transcript",
        ("shift+left",),
    ),
    Action(
        "transcript.select_right",
        "Select to the right",
        "Select one character more.",
        "transcript",
        ("shift+right",),
    ),
    Action(
        "transcript.copy",
        "Copy",
        "What is selected, as it was written; or what is pointed at; or the last answer.",
        "transcript",
        ("c", "y"),
        command="copy",
    ),
    Action(
        "transcript.copy_plain",
        "Copy as plain text",
        "What is selected as it reads, without Markdown.",
        "transcript",
        ("C",),
        command="copy-plain",
    ),
    Action(
        "transcript.copy_message",
        "Copy this message",
        "All of the message pointed at, or else of the first one in view.",
        "transcript",
        ("Y",),
        command="copy-message",
    ),
    Action(
        "search.older",
        "Match above",
        "Go to the match above; with none here, look in older messages.",
        "search",
        ("enter", "up"),
    ),
    Action(
        "search.newer",
        "Match below",
        "Go to the match below.",
        "search",
        ("down",),
    ),
    Action("chats.up", "Previous chat", "Show the chat above.", "chats", ("up", "k")),
    Action("chats.down", "Next chat", "Show the chat below.", "chats", ("down", "j")),
    Action("chats.first", "First chat", "Show the first chat.", "chats", ("home", "g")),
    Action("chats.last", "Last chat", "Show the last chat.", "chats", ("end", "G")),
    Action(
        "chats.open",
        "Open",
        "Go to the composer of the chat that is shown.",
        "chats",
        ("enter", "right"),
    ),
    Action(
        "chats.filter",
        "Filter the chats",
        "Show those whose titles have these words; status:failed and the like work too.",
        "chats",
        ("slash",),
        command="filter",
    ),
    Action(
        "chat.rename",
        "Rename this chat",
        "Give the chat that is shown another title.",
        "chats",
        ("r",),
        need="chat",
        command="rename",
    ),
    Action(
        "chat.archive",
        "Archive this chat",
        f"Put the chat that is shown away, with those under it; {UNDO} brings it back.",
        "chats",
        ("a",),
        need="present",
        command="archive",
    ),
    Action(
        "chat.unarchive",
        "Bring this chat back",
        "Of the archived chats: the one that is shown is among the others again.",
        "chats",
        ("u",),
        need="archived",
        command="unarchive",
    ),
    Action(
        "chats.archived",
        "Archived chats",
        "Show in the list the chats that are archived, or the others again.",
        "chats",
        ("A",),
        command="archived",
    ),
    Action(
        "chat.delete",
        "Delete this chat",
        "For good, after a question.",
        "chats",
        ("d", "delete"),
        need="chat",
        command="delete",
    ),
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
    Action("queue.up", "Message above", "Select.", "queue", ("up", "k")),
    Action("queue.down", "Message below", "Select.", "queue", ("down", "j")),
    Action(
        "queue.send",
        "Send this one now",
        "Stops the answer that runs; this message is answered next.",
        "queue",
        ("enter",),
    ),
    Action(
        "queue.edit",
        "Take back to edit",
        "Opens it in the composer; its place in the queue is kept.",
        "queue",
        ("e",),
    ),
    Action(
        "queue.remove",
        "Remove",
        f"Take it out of the queue; {UNDO} puts it back.",
        "queue",
        ("d", "delete"),
    ),
    Action("queue.raise", "Move up", "Answer it earlier.", "queue", ("shift+up", "K")),
    Action("queue.lower", "Move down", "Answer it later.", "queue", ("shift+down", "J")),
    Action(
        "composer.complete",
        "Complete",
        "After a slash: write out the command that is picked. Else go to the next part.",
        "composer",
        ("tab",),
    ),
    Action(
        "composer.recall",
        "Take back",
        "In an empty composer: the message that was not sent, the last one that waits, or else"
        " what you wrote before.",
        "composer",
        ("up",),
    ),
    Action(
        "composer.newer",
        "Write on",
        "From an earlier message of yours back to the empty composer.",
        "composer",
        ("down",),
    ),
)
BY_ID = {action.id: action for action in ACTIONS}
BY_COMMAND = {action.command: action for action in ACTIONS if action.command}


# What opens over a dialog as well, and takes its place.
OVER_DIALOGS = frozenset({"app.help", "app.palette"})


def key_of(action: str, *, most: int = 1) -> str:
    """Return the first keys of an action, by its id, as people write them."""
    return " ".join(key_name(key) for key in BY_ID[action].keys[:most])


# What stands on the frame of a part that has the focus and takes letters for its keys.
LETTERS = "letters are keys"
# Not an action of ours: Textual's, which copies a selection, and else asks whether to leave.
COPY_OR_LEAVE = key_name("ctrl+c")

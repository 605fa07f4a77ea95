"""Bursts: many keys in one read of the terminal, as ssh and tmux deliver them."""

from __future__ import annotations

import re
from random import Random
from typing import NamedTuple

from textual import events

from palaver_tui.actions.closing import open_things
from palaver_tui.keymap.actions import ACTIONS
from palaver_tui.textual_patches.terminal_driver import KeyParser
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.composer import Composer
from tui.screen import Client, settled

ARROWS = dict(zip(("up", "down", "right", "left", "end", "home"), "ABCDFH", strict=True))
# What a terminal without extensions sends for keys other than letters.
SENT = {f"ctrl+{chr(code + 96)}": chr(code) for code in range(1, 27)}
SENT |= {f"alt+{letter}": f"\x1b{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}
SENT |= {key: f"\x1b[{letter}" for key, letter in ARROWS.items()}
SENT |= {f"ctrl+{key}": f"\x1b[1;5{letter}" for key, letter in ARROWS.items()}
SENT |= {f"shift+{key}": f"\x1b[1;2{letter}" for key, letter in ARROWS.items()}
SENT |= {f"f{number}": f"\x1bO{'PQRS'[number - 1]}" for number in range(1, 5)}
SENT |= {"f6": "\x1b[17~", "f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~"}
SENT |= {"shift+tab": "\x1b[Z"}
SENT |= {"pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~", "backspace": "\x7f"}
SENT |= {"enter": "\r", "tab": "\t", "escape": "\x1b[27u", "space": " "}
PASTES = ("\x1b[200~two\rlines\x1b[201~", "\x1b[200~/new\x1b[201~", "\x1b[200~\x1b[201~")
SENT |= {"slash": "/", "comma": ",", "full_stop": ".", "dollar_sign": "$"}
SENT |= {"left_square_bracket": "[", "right_square_bracket": "]"}
SENT |= {"left_curly_bracket": "{", "right_curly_bracket": "}"}
# Keys that delete typed text.
DELETING = {f"ctrl+{letter}" for letter in "uwkxdzyvh"} | {"backspace", "delete", "alt+d"}
DELETING |= {"/undo\r"}
SELECTING = {key for key in SENT if key.startswith("shift+") and key != "shift+tab"} | {"f6", "f7"}
LEAVING = {"ctrl+q", "ctrl+c", "/quit\r"}
NAMED = sorted({key for action in ACTIONS for key in action.keys} | SENT.keys())
# The first one of a mark is no key in any part; at a question, which it leaves, digits are.
MARKS = "1234567é"
COMMANDS = [f"/{action.command}\r" for action in ACTIONS if action.command]
LETTERS = [chr(code) for code in range(33, 127) if chr(code) not in MARKS]


class Opening(NamedTuple):
    """Keys that open something: the scene where they do, and what is on the screen then."""

    scene: str
    pieces: list[str]
    shows: str


# The dialogs, each with keys that open it.
DIALOGS = {
    "delete": Opening("finished", ["ctrl+l", "d"], "Delete this chat?"),
    "clear": Opening("finished", ["ctrl+t", "x"], "Let the model forget?"),
    "rename": Opening("queued", ["ctrl+l", "r"], "Title of this chat"),
    "palette": Opening("queued", ["ctrl+p"], "What do you want to do?"),
    "models": Opening("queued", ["f3"], "Who answers"),
    "help": Opening("queued", ["f1"], "─ Keys ─"),
}
OPENINGS = DIALOGS | {
    "commands": Opening("queued", ["/"], "Tab complete"),
    "edit": Opening("finished", ["ctrl+t", "e"], "editing your message"),
    "queued edit": Opening("queued", ["ctrl+o", "e"], "editing message 1 of the queue"),
    "fork": Opening("finished", ["ctrl+t", "f"], "You are in “A chat (fork)”"),
    "details": Opening("failed", ["f4"], "invalid x-api-key"),
    "report": Opening("error", ["f8"], "the report"),
    "list": Opening("queued", ["ctrl+l"], "⏎ open"),
    "archived": Opening("queued", ["ctrl+l", "A"], "A other chats"),
    "filter": Opening("queued", ["ctrl+l", "/"], "Esc clear filter"),
    "search": Opening("queued", ["ctrl+f"], "Find in this conversation"),
    "selection": Opening("queued", ["ctrl+t", "v"], "Esc unselect"),
    "queue": Opening("queued", ["ctrl+o"], "e edit  d remove"),
}


def encoded(key: str) -> str:
    """Return what the terminal sends for `key`; text is sent as it is."""
    return SENT.get(key, key)


def a_burst(random: Random, mark: str) -> list[str]:
    """Return up to a dozen pieces: keys, letters, words, pastes; half of the bursts have `mark`.

    A burst with the mark has no keys that would delete it.
    """
    with_mark = random.random() < 0.5
    pieces = []
    for _ in range(random.randint(1, 12)):
        kind = random.random()
        if kind < 0.1:
            pieces += random.choice(list(OPENINGS.values())).pieces
        elif kind < 0.2:
            pieces.append("enter")
        elif kind < 0.3:
            pieces.append("escape")
        elif kind < 0.7:
            pieces.append(random.choice(NAMED))
        elif kind < 0.8:
            pieces.append(random.choice(LETTERS))
        elif kind < 0.9:
            pieces.append(random.choice(["help", "r", "theme", "/us", "status:", *COMMANDS]))
        else:
            pieces.append(random.choice(PASTES))
    if with_mark:
        unwanted = DELETING | SELECTING
        pieces = [piece for piece in pieces if piece not in unwanted]
        pieces.insert(random.randint(0, len(pieces)), mark)
    return [piece for piece in pieces if piece not in LEAVING] or ["escape"]


def a_mark(number: int) -> str:
    """Return a unique word of characters that are no keys."""
    digits = []
    while number:
        number, digit = divmod(number, 7)
        digits.append(MARKS[digit])
    return "é" + "".join(digits) + "é"


class Watcher:
    """Records every text that was in any field."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.written: set[str] = set()

    def __call__(self, message: object) -> None:
        sender = getattr(message, "control", None) or getattr(message, "_sender", None)
        if isinstance(sender, Composer):
            self.written.add(sender.text)
        elif isinstance(sender, ChatListPane):
            self.seen.add(sender.filter_text or "")
        elif (value := getattr(sender, "value", None)) is not None:
            self.seen.add(value)


def feed(me: Client, burst: list[str]) -> None:
    """Post the events of one read of the terminal to the application."""
    parser = KeyParser(debug=False)
    sent = "".join(encoded(piece) for piece in burst)
    for event in [*parser.feed(sent), *parser.feed("")]:
        if isinstance(event, events.Key | events.Paste):
            me.app.post_message(event)


async def quiet(me: Client) -> None:
    """Wait until all events are handled."""
    await me.pilot.pause(0)
    await settled(me.app, lambda: me.app.key_queue.quiet)


def kept(me: Client) -> list[str]:
    """Return every text that is in a draft, outgoing, or received by the daemon."""
    app, session = me.app, me.app.session
    texts = app.context.drafts.everything() + app.context.aside.everything()
    texts += [item.content for view in session.views.values() for item in view.outgoing]
    texts += [request.content for _to, request, _key in me.daemon.sent]
    texts += [str(part) for asked in me.daemon.asked for part in asked]
    return texts


async def check(me: Client, watcher: Watcher, marks: list[str]) -> None:
    """Fail if the client had an error, lost a mark, or does not react to keys any more."""
    assert me.app._exception is None
    for mark in marks:
        # The cursor may have been moved into the mark, and text been typed there.
        whole = re.compile(f"[^{MARKS}]*".join(mark))
        if not any(whole.search(text) for text in watcher.seen):
            assert any(whole.search(text) for text in kept(me)), f"{mark} is lost"
    await is_alive(me)


async def close_all(me: Client) -> None:
    """Fail if the client had an error, or Esc does not close what is open."""
    assert me.app._exception is None
    for _ in range(9):
        if not open_things(me.app.context):
            break
        feed(me, ["escape"])
        await quiet(me)
    assert not open_things(me.app.context), "Esc does not close it"


async def is_alive(me: Client) -> None:
    """Fail if keys cannot close what is open, focus the composer, and write visible text."""
    await close_all(me)
    for _ in range(9):
        if me.composer.has_focus:
            break
        feed(me, ["tab"])
        await quiet(me)
    feed(me, ["ctrl+end", "é!"])
    await quiet(me)
    assert "é!" in me.composer.text, (me.composer.has_focus, me.composer.text, me.app.focused)
    # It may be broken between two rows of the composer.
    await me.until(lambda: "é!" in "".join(row.strip(" │❯") for row in me.text().splitlines()))
    feed(me, ["ctrl+w", "backspace"])
    await quiet(me)

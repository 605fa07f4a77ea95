"""Every terminal sends the keys, they have their usual meanings, and texts name them correctly."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key

import palaver_tui
from palaver_tui.keymap.actions import ACTIONS, BY_ID, key_name
from palaver_tui.state.banner import DETAIL_KEY, MODEL_KEY, NEW_KEY, STOP_KEY
from palaver_tui.widgets.welcome import KEY_ROWS
from tui.replay import answer, user
from tui.screen import client
from tui.test_client import running, with_chat

# What every terminal sends: control characters, ESC and a letter for Alt, and old sequences.
ARROWS = dict(zip(("up", "down", "right", "left", "end", "home"), "ABCDFH", strict=True))
SENT = {f"ctrl+{chr(code + 96)}": chr(code) for code in range(1, 27)}
SENT |= {f"alt+{letter}": f"\x1b{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}
SENT |= {key: f"\x1b[{letter}" for key, letter in ARROWS.items()}
SENT |= {f"ctrl+{key}": f"\x1b[1;5{letter}" for key, letter in ARROWS.items()}
SENT |= {f"shift+{key}": f"\x1b[1;2{letter}" for key, letter in ARROWS.items()}
SENT |= {f"f{number}": f"\x1bO{'PQRS'[number - 1]}" for number in range(1, 5)}
SENT |= {"f8": "\x1b[19~"}  # as in the terminfo of xterm, the Linux console, tmux and screen
SENT |= {"pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~"}
SENT |= {"enter": "\r", "tab": "\t", "escape": "\x1b", "space": " "}
# Ctrl+H is backspace, Ctrl+I is Tab, Ctrl+M is Enter; Ctrl+B is the prefix of tmux.
TAKEN = {"ctrl+h", "ctrl+i", "ctrl+m", "ctrl+b"}
EDITING = {f"ctrl+{letter}" for letter in "aewukdvxyz"} | {"ctrl+left", "ctrl+right"}
BY_KEY = [(action.id, key) for action in ACTIONS for key in action.keys]


@pytest.mark.parametrize(("name", "key"), BY_KEY, ids=[f"{a}: {k}" for a, k in BY_KEY])
def test_a_key_arrives_from_every_terminal(name: str, key: str) -> None:
    parser = XTermParser()
    sent = SENT.get(key)
    if sent is None:
        printable = [code for code in range(33, 127) if _key(chr(code)) == key]
        assert printable, f"{key} is nothing that every terminal sends"
        return
    arrived = [event for event in [*parser.feed(sent), *parser.feed("")] if isinstance(event, Key)]
    assert key in {alias for event in arrived for alias in [event.key, *event.aliases]}
    assert key not in TAKEN


def _key(character: str) -> str:
    event = next(iter(XTermParser().feed(character)))
    assert isinstance(event, Key)
    return event.key


def test_what_only_some_terminals_tell_apart_is_an_extra() -> None:
    for action in ACTIONS:
        assert not any(key.endswith("+enter") for key in action.keys), action.id
        assert not action.extra or action.keys, f"{action.id} cannot be reached elsewhere"


def test_no_key_that_works_everywhere_is_one_that_edits_a_line() -> None:
    everywhere = {key for action in ACTIONS if action.scope == "app" for key in action.keys}
    # The key for undo also undoes typing.
    assert everywhere & EDITING == {*BY_ID["app.undo"].keys}


# Names and signs of keys, also in other notations.
SPELLED = re.compile(r"\^[a-z]\b|\b(Enter|Return|Escape|Ctrl|Control|Page Up)\b|[↑←⏎⇧]")
# Modules that may contain them, with the table: key names, their explanation, signs of formulas.
SPELLS = {"actions.py": "_KEY_NAMES", "help.py": "SIGNS", "symbols.py": "_SIGNS"}


def said(source: ast.Module, name: str) -> Iterator[str]:
    """Yield the strings of a module, without its docstrings and the table `name`."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(source):
        if isinstance(node, ast.Assign) and name in {
            getattr(one, "id", "") for one in node.targets
        }:
            skipped |= set(ast.walk(node))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
    for node in ast.walk(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.value


def test_no_sentence_spells_a_key_by_itself() -> None:
    found = []
    for path in Path(palaver_tui.__file__).parent.rglob("*.py"):
        texts = said(ast.parse(path.read_text()), SPELLS.get(path.name, ""))
        found += [(path.name, text) for text in texts if " " in text and SPELLED.search(text)]
    assert found == []


def test_no_key_means_two_things_in_one_place() -> None:
    for scope in {action.scope for action in ACTIONS}:
        found = [k for a in ACTIONS if a.scope in {scope, "app"} for k in (*a.keys, *a.extra)]
        assert len(found) == len(set(found)), scope


def test_what_banners_and_the_first_screen_say_is_in_the_table() -> None:
    for key, name, _label in (DETAIL_KEY, MODEL_KEY, NEW_KEY, STOP_KEY):
        assert key == key_name(BY_ID[name].keys[0])
    for name, _label in KEY_ROWS:
        assert BY_ID[name].keys


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["ctrl+a", "X"], "Xone two"),
        (["ctrl+a", "ctrl+e", "X"], "one twoX"),
        (["ctrl+w"], "one "),
        (["ctrl+u"], ""),
        (["ctrl+a", "ctrl+k"], ""),
        (["ctrl+a", "ctrl+right", "ctrl+k"], "one"),
        (["ctrl+w", "ctrl+z"], "one two"),
    ],
)
async def test_the_keys_of_every_line_edit_this_one(
    tmp_path: Path, keys: list[str], left: str
) -> None:
    async with client(tmp_path) as me:
        await me.shows("Write a message")
        await me.write("one two")
        await me.press(*keys)
        assert me.composer.text == left
        assert len(me.app.screen_stack) == 1


async def test_page_keys_scroll_the_conversation_from_the_composer(tmp_path: Path) -> None:
    text = "\n\n".join(f"line {number}" for number in range(100))
    async with client(tmp_path, daemon=with_chat(user(1, "x"), answer(2, text)), chat_id="a") as me:
        await me.shows("line 99")
        await me.write("a draft")
        await me.press("pageup")
        await me.hides("line 99")
        assert me.composer.has_focus
        await me.press("pagedown")
        await me.shows("line 99")
        assert me.composer.text == "a draft"


async def test_while_an_answer_runs_the_hint_names_a_key_that_sends_now(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=running(user(1, "why?")), chat_id="a") as me:
        await me.write("this instead")
        await me.shows("⏎ queue · ^s send now")
        await me.press("ctrl+s")
        await me.until(lambda: me.daemon.sent)
        assert me.daemon.sent[0][1].when_busy == "interrupt"

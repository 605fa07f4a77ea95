"""The footer shows the keys of the focused part, and all texts use one notation for keys."""

import re
from pathlib import Path

import palaver_tui
from palaver_tui.keymap.actions import ACTIONS, BY_ID, key_name
from palaver_tui.widgets.footer import OFFERED
from tui.replay import ReplayClient
from tui.scenes import finished
from tui.screen import client

ROOT = Path(palaver_tui.__file__).parent
# Names of keys that texts must not spell out: `key_name` returns them.
SPELLED = re.compile(r"""["' ·(](?:\^[a-z]|Esc|F\d|⏎|PgUp|PgDn|⇧|Ctrl[+-]\w|Alt[+-]\w)\b|⏎ """)


async def test_the_footer_follows_the_focus(tmp_path: Path) -> None:
    daemon = ReplayClient()
    finished(daemon)
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 30)) as me:

        def foot() -> str:
            return me.text().splitlines()[-1]

        async def offers(*words: str) -> None:
            await me.until(lambda: all(word in foot() for word in words))

        await me.shows("only reset it in")
        assert "copy" not in foot()
        await me.press("ctrl+l")
        await offers("⏎ open", "/ filter", "r rename")
        await me.press("slash")
        await me.until(lambda: "/ filter" not in foot())
        await offers("Esc clear filter", "⏎ open")
        await me.press("escape", "ctrl+f")
        await offers("⏎ ↑ older", "↓ newer")
        await me.press("escape", "ctrl+t")
        await offers("c copy", "/ find", "v select")
        await me.press("v", "v", "down")
        await offers("Esc unselect", "c copy")
        me.composer.focus()
        await offers("^c copy")


def test_what_the_footer_offers_is_in_the_table() -> None:
    for scope, offered in OFFERED.items():
        for name, _label, most in offered:
            assert BY_ID[name].scope == scope
            assert 1 <= most <= len(BY_ID[name].keys)


def test_no_sentence_spells_a_key_itself() -> None:
    found = []
    for path in ROOT.rglob("*.py"):
        if path.name == "key_names.py":
            continue
        code = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(), flags=re.DOTALL)
        found += [(path.name, match[0]) for match in SPELLED.finditer(code)]
    assert found == []


def test_each_key_has_one_name() -> None:
    keys = {key for action in ACTIONS for key in (*action.keys, *action.extra)}
    names = [key_name(key) for key in keys]
    assert len(set(names)) == len(names)


async def test_under_a_dialog_no_part_offers_its_keys(tmp_path: Path) -> None:
    daemon = ReplayClient()
    finished(daemon)
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 30)) as me:
        await me.shows("only reset it in")
        await me.press("ctrl+l")
        await me.shows("a archive")
        await me.press("d")
        await me.shows("Delete this chat?")
        await me.hides("a archive")
        await me.press("escape")
        await me.shows("a archive")


async def test_help_begins_with_the_part_that_has_the_focus(tmp_path: Path) -> None:
    daemon = ReplayClient()
    finished(daemon)
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 40)) as me:
        for key, title in (("", "Writing"), ("ctrl+l", "In the list"), ("ctrl+t", "In the conv")):
            await me.press(*([key] if key else []), "f1")
            await me.shows("Keys")
            first = next(row for row in me.text().split("─ Keys ─")[1].splitlines()[2:])
            assert title in first
            await me.press("escape")

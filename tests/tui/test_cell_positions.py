"""Emoji whose width terminals count differently do not move the text beside them."""

from __future__ import annotations

import shlex
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from palaver_tui.textual_patches.cell_positions import placed
from support.require import require
from support.tmux import tmux
from tui.emoji_client import EMOJI
from tui.test_hostile import ROOT

WIDTH, HEIGHT = 120, 40
FRAMES = set("│╭╮╰╯┃▌")


def test_what_every_terminal_counts_alike_is_written_as_it_is() -> None:
    for data in ("\x1b[3;5Hplain │ ─ ▎ 漢字 ⠿ é", "no place 🎉", "\x1b[?25l"):
        assert placed(data) == data


@pytest.mark.parametrize("one", EMOJI.values(), ids=EMOJI)
def test_it_is_written_over_blanks_and_what_follows_is_put_in_its_place(one: str) -> None:
    width = cell_len(one)
    here, after = "\x1b[3;6H", f"\x1b[3;{6 + width}H"
    written = placed(f"\x1b[3;5H\x1b[31ma{one}\x1b[0m│\n{one}")
    assert written.startswith(f"\x1b[3;5H\x1b[31ma{here} ")
    assert written.endswith(f"{after}\x1b[0m│\n{one}")


@given(st.lists(st.sampled_from([*EMOJI.values(), "a", "漢", " "])))
def test_nothing_of_a_text_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    written = placed(f"\x1b[1;1H{text}")
    for sequence in {piece for piece in written.split("\x1b[") if ";" in piece}:
        place = sequence.partition("H")[0]
        written = written.replace(f"\x1b[{place}H", "")
    assert written.replace(" ", "") == text.replace(" ", "")


def cells(row: str) -> list[str]:
    """Return the cells of a row of tmux as tmux 3.3 counts them, mostly by code points."""
    found: list[str] = []
    joined = False
    for character in row:
        kind = unicodedata.category(character)
        wide = unicodedata.east_asian_width(character) in "WF"
        if (joined and wide) or kind in {"Mn", "Me", "Cf"}:
            joined = character == "\u200d"
            found[-1] += character
            continue
        joined = False
        found += [character, ""] if wide else [character]
    return found


@pytest.mark.process
def test_in_tmux_the_frames_stay_in_their_columns(tmp_path: Path) -> None:
    require("tmux")
    script = f"PYTHONPATH={shlex.quote(str(ROOT / 'tests'))} TERM=xterm-256color"
    command = f"{script} {sys.executable} -m tui.emoji_client {shlex.quote(str(tmp_path))}"
    folder = tmp_path
    with tmux(folder, command, (WIDTH, HEIGHT)) as pane:
        pane.until(lambda: any("devanagari =" in row for row in pane.rows()), "no code")
        for key in ("", "C-l", "Down", "Down"):
            if key:
                pane("send-keys", key)
            pane.until(lambda: not out_of_place(pane.rows()), "frames out of their columns")


def out_of_place(rows: list[str]) -> list[str]:
    return [row for row in rows[1 : HEIGHT - 1] if not in_place(cells(row))]


def in_place(row: list[str]) -> bool:
    return len(row) == WIDTH and {row[0], row[31], row[32], row[-1]} <= FRAMES

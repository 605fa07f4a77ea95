"""The terminal's input, in any pieces, is parsed to the pressed keys and pasted texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver_tui.textual_patches.terminal_driver import PASTE, PASTED, KeyParser


def told(*reads: str) -> list[str | None]:
    parser = KeyParser(debug=False)
    messages = [message for read in reads for message in parser.feed(read)]
    return [getattr(message, "key", None) or getattr(message, "text", None) for message in messages]


@pytest.mark.parametrize(
    ("read", "keys"),
    [
        ("\x1bi\x1bj", ["alt+i", "alt+j"]),
        ("\x1bia", ["alt+i", "a"]),
        ("\x1bb\x1b[A\x1bf", ["alt+b", "up", "alt+f"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        (f"\x1bi{PASTE}\x1bi{PASTED}\x1bj", ["alt+i", "\x1bi", "alt+j"]),
        (f"{PASTE}{PASTED}", [""]),
        # Kitty's protocol tells these apart; elsewhere they arrive as Enter.
        ("\x1b[13;3u\x1b[13;2u\x1b[13u", ["alt+enter", "shift+enter", "enter"]),
    ],
)
def test_keys_in_one_read_are_the_keys_that_were_pressed(read: str, keys: list[str]) -> None:
    assert [key for key in told(read) if key or not keys[0]] == keys


@given(st.text(alphabet="ab\r\x1b[~01i2"), st.data())
def test_a_paste_is_one_text_however_it_is_cut_and_whatever_is_in_it(
    text: str, data: st.DataObject
) -> None:
    text = text.replace(PASTED, "").replace(PASTED, "")
    sent = text + PASTED
    if sent.index(PASTED) != len(text):
        return  # the text and the end contain an earlier end
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    reads = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    parser = KeyParser(debug=False)
    messages = [m for read in [PASTE, *reads, "x"] if read for m in parser.feed(read)]
    assert [getattr(m, "text", None) or getattr(m, "key", "") for m in messages] == [text, "x"]

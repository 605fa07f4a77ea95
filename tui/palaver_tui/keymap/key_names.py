"""Names of keys as people write them."""

from __future__ import annotations

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
    """Return the name of a key as people write it: `^n` for `ctrl+n`, `Alt+⏎` for `alt+enter`."""
    *modifiers, last = key.split("+")
    name = _KEY_NAMES.get(last, last.upper() if last.startswith("f") and last[1:] else last)
    if modifiers == ["ctrl"]:
        return f"^{name}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


UNDO_KEY, ENTER_KEY = "ctrl+z", "enter"
UNDO, ENTER = key_name(UNDO_KEY), key_name(ENTER_KEY)

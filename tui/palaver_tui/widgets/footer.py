"""Footer: the keys of the actions that are possible now."""

from __future__ import annotations

from collections.abc import Callable

from palaver_tui.keymap.actions import (
    ACTIONS,
    BY_ID,
    COPY_OR_LEAVE,
    OVER_DIALOGS,
    Action,
    Scope,
    key_name,
    key_of,
)
from palaver_tui.state.live import STOPPABLE, LiveState
from palaver_tui.text.spans import Face, Ink, Line, Span
from palaver_tui.text.wrap import width_of
from palaver_tui.widgets.strips import row


def _pair(key: str, label: str, ink: Ink = "muted") -> list[Span]:
    return [Span(f" {key}", Face("accent")), Span(f" {label} ", Face(ink))]


# Actions that the part in focus offers, most important first: id, label, number of keys shown.
OFFERED: dict[Scope, tuple[tuple[str, str, int], ...]] = {
    "chats": (
        ("chats.open", "open", 1),
        ("chats.filter", "filter", 1),
        ("chat.rename", "rename", 1),
        ("chat.archive", "archive", 1),
        ("chat.unarchive", "bring back", 1),
    ),
    "question": (
        ("question.choose", "choose", 1),
        ("question.up", "up", 1),
        ("question.down", "down", 1),
    ),
    "search": (("search.older", "older", 2), ("search.newer", "newer", 1)),
    "transcript": (
        ("transcript.copy", "copy", 1),
        ("transcript.find", "find", 1),
        ("transcript.select", "select", 1),
    ),
}
LIST = "chats.toggle"  # the action that shows the list
# While a filter is typed, letters are no keys.
FILTERING = (("chats.open", "open", 1),)


def footer_line(
    state: LiveState,
    closes: str | None,
    offers: Callable[[Action], bool],
    width: int,
    focus: Scope | None = None,
    *,
    selected: bool = False,
    filtering: bool = False,
    under: bool = False,
    asking: int = 0,
) -> Line:
    """Return the footer; `closes` is the label of what Esc closes, None if nothing is open.

    `offers` returns whether an action is possible now, `focus` is the part that gets the keys.
    `selected`: text is selected, which can be copied from everywhere. `filtering`: the list gets
    letters. `under`: a dialog is open, so only actions that may replace it are offered. `asking` is
    the number of other chats that ask something, if the list that shows them is hidden.
    """
    left: list[Span] = []
    if closes is not None:
        left += _pair(key_of("chat.escape"), closes)
    elif state in STOPPABLE:
        left += _pair(key_of("chat.escape"), "stop")
    if selected and focus != "transcript":
        left += _pair(COPY_OR_LEAVE, "copy")
    own = OFFERED.get(focus, ()) if focus is not None else ()
    for name, words, most in FILTERING if focus == "chats" and filtering else own:
        if offers(BY_ID[name]):
            left += _pair(key_of(name, most=most), words)
    for action in ACTIONS:
        if under and action.id not in OVER_DIALOGS:
            continue
        if action.footer and action.keys and offers(action):
            asks = asking > 0 and action.id == LIST
            words = f"{action.footer} ? {asking}" if asks else action.footer
            left += _pair(key_name(action.keys[0]), words, "warning" if asks else "muted")
    help_spans = [*_pair(key_of("app.help"), "help")]
    room = width - sum(width_of(span.text) for span in help_spans) - 1
    kept: list[Span] = []
    for key, label in zip(left[::2], left[1::2], strict=True):
        if sum(width_of(span.text) for span in [*kept, key, label]) > room:
            break
        kept += [key, label]
    return row(kept, help_spans, width)

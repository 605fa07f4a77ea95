"""Textual's key bindings, generated from the table of actions."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from palaver_tui.keymap.actions import ACTIONS, Scope


def bindings(scope: Scope) -> list[BindingType]:
    """Return the key bindings of `scope`. Those of `app` have priority over any widget's own."""
    return [
        Binding(
            ",".join((*action.keys, *action.extra)),
            f"app.perform('{action.id}')",
            action.title,
            show=False,
            priority=scope == "app",
            id=action.id,
        )
        for action in ACTIONS
        if action.scope == scope and action.keys
    ]

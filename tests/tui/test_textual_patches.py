"""Textual's private interface is used only in textual_patches, and has not changed.

The effects of the patches are tested elsewhere: drawing in test_repaints.py, errors in
test_error_containment.py, fields in test_fields.py, keys in test_key_queue.py and test_terminal.py,
notices in test_notices.py, colours in test_colours.py.
"""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList, TextArea
from textual.widgets.option_list import Option
from textual.widgets.text_area import Document

from palaver_tui.textual_patches.error_containment import CHANGED
from palaver_tui.textual_patches.option_rows import option_at
from tui.private_names import ROOT, private_of, uses, uses_in

PATCHES = "textual_patches."
# What each patch uses: None for a module; for others the class, and the signature of a method.
USED: dict[str, dict[str, tuple[type, str | None] | None]] = {
    "application": {
        "_handle_exception": (App, "(self, error: 'Exception') -> 'None'"),
        "_driver": (App, None),
        "_filters": (App, None),
        "_clipboard": (App, None),
    },
    "error_containment": {
        "textual._context": None,
        "_next_callbacks": (MessagePump, None),
    },
    "fields": {
        "_lines": (Document, None),
        "_newline": (Document, None),
        "_set_document": (TextArea, "(self, text: 'str', language: 'str | None') -> 'None'"),
        "_undo_batch": (TextArea, "(self, edits: 'Sequence[Edit]') -> 'None'"),
        "_redo_batch": (TextArea, "(self, edits: 'Sequence[Edit]') -> 'None'"),
        "_rewrap_and_refresh_virtual_size": (TextArea, "(self) -> 'None'"),
        "_value": (Input, None),
        "_position_to_cell": (Input, "(self, position: 'int') -> 'int'"),
        "_cell_offset_to_index": (Input, "(self, offset: 'int') -> 'int'"),
    },
    "frame_title": {
        "_border_title": (Widget, None),
        "_border_subtitle": (Widget, None),
    },
    "notices": {
        "textual.widgets._toast": None,
        "_notifications": (App, None),
        "_unnotify": (
            App,
            "(self, notification: 'Notification', refresh: 'bool' = True) -> 'None'",
        ),
    },
    "option_rows": {"_lines": (OptionList, None)},
    "row_compositor": {
        "textual._compositor": None,
        "_dirty_regions": (Compositor, None),
        "_get_renders": (
            Compositor,
            "(self, crop: 'Region | None' = None)"
            " -> 'Iterable[tuple[Region, Region, list[Strip]]]'",
        ),
    },
    "row_screen": {
        "_compositor": (Screen, None),
        "_update_timer": (Screen, None),
        "_on_timer_update": (Screen, "(self) -> 'None'"),
        "_compositor_refresh": (Screen, "(self) -> 'None'"),
        "_repaint_required": (Screen, None),
    },
    "terminal_driver": {
        "textual._parser": None,
        "textual._xterm_parser": None,
        "_debug": (Driver, None),
    },
}
NAMES = [(patch, name) for patch, names in USED.items() for name in names]


def test_what_is_not_public_is_used_in_the_patches_alone() -> None:
    outside = [use for use in uses() if not use.module.startswith(PATCHES)]
    assert not outside, "\n".join(map(str, outside))


def test_the_table_has_what_the_patches_use_and_nothing_else() -> None:
    used = {(use.module.removeprefix(PATCHES), use.name) for use in uses()}
    assert used == set(NAMES)


@pytest.mark.parametrize(("patch", "name"), NAMES)
def test_it_is_as_it_was_when_the_patch_was_written(patch: str, name: str) -> None:
    expected = USED[patch][name]
    if expected is None:
        assert import_module(name)
        return
    owner, parameters = expected
    assert name in private_of(owner)
    if parameters is not None:
        assert str(inspect.signature(getattr(owner, name))) == parameters


def test_the_methods_that_are_guarded_are_as_they_were() -> None:
    guarded = {
        (owner.__name__, name): str(inspect.signature(inspect.unwrap(getattr(owner, name))))
        for owner, name, _ in CHANGED
    }
    assert guarded == {
        ("MessagePump", "_dispatch_message"): "(self, message: 'Message') -> 'None'",
        ("MessagePump", "_flush_next_callbacks"): "(self) -> 'None'",
        ("Widget", "_render"): "(self) -> 'Visual'",
        ("Widget", "render_lines"): "(self, crop: 'Region') -> 'list[Strip]'",
    }


def test_each_patch_says_what_it_is_for() -> None:
    for path in (ROOT / "textual_patches").glob("*.py"):
        if path.stem != "__init__":
            module = import_module(f"palaver_tui.textual_patches.{path.stem}")
            assert len((module.__doc__ or "").split()) > 20, path.stem


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from textual._context import active_app", "textual._context"),
        ("import textual.widgets._toast", "textual.widgets._toast"),
        ("def f(app):\n    app._unnotify(1)", "_unnotify"),
        ("class Bar:\n    def f(self, other):\n        return self.app._driver", "_driver"),
        ("class Bar:\n    def _render(self): ...", "_render"),
        ("class Bar:\n    def f(self):\n        self._size = 1", "_size"),
        ("class Bar:\n    def f(self):\n        super()._render()", "_render"),
    ],
)
def test_each_way_to_use_it_is_found(source: str, name: str) -> None:
    assert name in {use.name for use in uses_in("widgets.bar", source)}


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos._exit(1)",
        "class Bar:\n    def _mine(self):\n        return self._mine",
        "class Other:\n    def f(self, before):\n        return self._known == before._known",
    ],
)
def test_what_is_our_own_is_not(source: str) -> None:
    assert not list(uses_in("widgets.bar", source))


async def test_the_option_of_a_row_is_found_however_many_rows_each_has() -> None:
    options = OptionList(Option("one\nand more"), Option("two"))

    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield options

    async with Shown().run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert [option_at(options, row) for row in range(4)] == [0, 0, 1, None]

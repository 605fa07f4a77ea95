"""A real client on the current terminal that shows everything with a colour.

Run by `test_colours.py` in a pseudo-terminal: `python -m tui.coloured_client FOLDER THEME`, where
`THEME` is the index of one of the terminal's palettes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from textual._wait import wait_for_idle

from palaver.client import Endpoint
from palaver.wire.chats import RetryInfo
from palaver.wire.events import ErrorEvent, QueueUpdate, RetryEvent
from palaver_tui.actions.search import end_search
from palaver_tui.actions.table import FUNCTIONS
from palaver_tui.app import PalaverApp
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.strips import depth_of
from tui.replay import BAD_KEY, ENDPOINT, OVERLOADED, T0, FixedClock, ReplayClient, queued, status
from tui.scenes import CHATS
from tui.screen import screen_text
from tui.sheet import sheet


def colourful_daemon() -> ReplayClient:
    daemon = ReplayClient()
    sheet(daemon)
    daemon.open(*CHATS)
    waiting = QueueUpdate([queued(1, "first"), queued(2, "second")], held=True)
    daemon.stream_of("a").tell(waiting)
    return daemon


class Colourful(PalaverApp):
    """A client that exits when everything was shown."""

    daemon: ReplayClient

    def _act(self, name: str) -> Callable[[], object]:
        return partial(FUNCTIONS[name], self.context)

    async def show_everything(self) -> None:
        """Show every part of the screen and every dialog, one after the other."""
        while not self.session.view.caught_up or not self.session.models:
            await asyncio.sleep(0.02)
        text = self.main.transcript
        # It is made after the first frame, and draws once it has a size.
        while not text.size.height or not text.virtual_size.height:
            await asyncio.sleep(0.02)
        stream = self.daemon.stream_of("a")
        retry = RetryEvent(RetryInfo(1, 3, 9000, T0, OVERLOADED))
        # Functions to call, and text that must be on the screen after them.
        steps: list[Callable[[], object] | str] = [
            lambda: text.viewport.set_folds(text.viewport.folds.all(True)),
            lambda: self.main.query_one(Composer).insert("a draft"),
            text.viewport.to_start,
            *[lambda: text.viewport.move(text.size.height)] * 5,
            lambda: self.context.notices.say("A notice.", "error"),
            "A notice.",
            self._act("view.find"),
            lambda: text.search.begin("timer"),
            self._act("search.older"),
            partial(end_search, self.context),
            lambda: text.selection.begin(text.scroll_offset.y),
            text.selection.toggle,
            lambda: text.selection.move(lines=4),
            text.selection.clear,
            self._act("transcript.previous_thing"),
            self._act("chats.toggle"),
            self._act("queue.focus"),
            self._bare,
            self._act("model.choose"),
            "Who answers",
            self.context.dialogs.close,
            self._act("chat.rename"),
            "Title of this chat",
            self.context.dialogs.close,
            self._act("app.palette"),
            "New chat",
            self.context.dialogs.close,
            self._act("app.help"),
            "Keys",
            self.context.dialogs.close,
            self._bare,
            lambda: stream.tell(status("running"), retry),
            "Retrying in",
            lambda: stream.tell(RetryEvent(None), status("error"), ErrorEvent(BAD_KEY)),
            "did not accept",
        ]
        for step in steps:
            if isinstance(step, str):
                while step not in screen_text(self):
                    await asyncio.sleep(0.05)
                    self.paint()
            else:
                step()
                self.paint()
                await wait_for_idle(0)
                # Without waiting, a busy machine would draw several steps at once, only the last.
                drawn = asyncio.Event()
                self.call_after_refresh(drawn.set)
                await drawn.wait()
        self.exit(0)

    def _bare(self) -> None:
        """Hide or show the parts behind a dialog: they are dimmed, not readable."""
        self.clear_notifications()
        for part in ("#header", "#body", "#footer"):
            widget = self.main.query_one(part)
            widget.display = not widget.display


async def main(folder: Path, theme: int) -> None:
    async def connect() -> Endpoint:
        return ENDPOINT

    daemon = colourful_daemon()
    app = Colourful(
        connect,
        data_dir=folder,
        chat_id="a",
        clock=FixedClock(),
        client=cast("Any", daemon),
        motion=False,
        depth=depth_of(Console()),
    )
    app.daemon = daemon
    app.theme = app.context.palettes[theme].name
    app.call_later(lambda: app.run_worker(app.show_everything()))
    await app.run_async()
    sys.exit(app.return_code)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

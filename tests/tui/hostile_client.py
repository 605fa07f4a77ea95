"""A real client on the current terminal, with a replayed daemon whose every text is hostile.

Run by `test_hostile.py` in a pseudo-terminal: `python -m tui.hostile_client FOLDER`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

from textual import events

from palaver.client import Connected, Endpoint
from palaver.clock import SystemClock
from palaver.wire.chats import Model, Models, RetryInfo
from palaver.wire.events import (
    CaughtUp,
    ErrorEvent,
    MessageEvent,
    QueueUpdate,
    RetryEvent,
)
from palaver.wire.messages import (
    Boundary,
    File,
    Message,
    Reasoning,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from palaver_tui.actions.clipboard import copy_text
from palaver_tui.actions.edits import begin_edit
from palaver_tui.actions.search import end_search
from palaver_tui.actions.table import FUNCTIONS
from palaver_tui.app import PalaverApp
from palaver_tui.widgets.composer import Composer
from tui.replay import BAD_KEY, ENDPOINT, T0, ReplayClient, answer, chat, part, queued, status, user

# Each has its own name in it, so that a test can tell that it was shown, and a control or escape
# sequence that this client never sends to a terminal.
EVIL = {
    "title": "\x1b]0;evil-title\x07",
    "clear": "\x1b[2Jevil-clear",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07evil-clipboard",
    "link": "\x1b]8;;https://evil.example\x1b\\evil-link\x1b]8;;\x1b\\",
    "dcs": "\x1bP+q544e\x1b\\evil-dcs",
    "apc": "\x1b_Gf=32;AAAA\x1b\\evil-apc",
    "c1": "\x9b31mevil-c1\x9d0;x\x9c\x90x\x9c",
    "bell": "\x07\x08\x0b\x0c\x0e\x0f\x00\x7fevil-bell",
    "bidi": "evil-\u202egnp.bidi\u2066x\u2069\u200f",
    "zero": "evil-\u200bzero\ufeff\u2060",
    "markup": "[/nope] [bold red]evil-markup[/] [@click=app.bell]x[/]",
    "surrogate": "evil-\udce4surrogate",
    "return": "evil-\rreturn",
    "report": "\x1b[6n\x1b[c\x1b[?1049levil-report",
}
ALL = " ".join(EVIL.values())
MARKER = "all of it was said"


def evil_daemon() -> ReplayClient:
    """Return a daemon that has all hostile texts in every field."""
    daemon = ReplayClient()
    daemon.available_models = Models([Model(ALL, ALL, ALL, default=True)])
    daemon.open(
        chat("a", ALL, "running", model=ALL), chat("b", f"[/] {ALL}", "error", minutes_ago=1)
    )
    stream = daemon.stream_of("a")
    error = BAD_KEY.__class__("auth", ALL, detail=ALL, provider=ALL, request_id=ALL)
    retry = RetryInfo(1, 3, 1000, T0, error)
    arguments = json.dumps({"command": ALL, ALL: ALL}, ensure_ascii=True)
    edits = json.dumps({"edits": [{"path": ALL, "old_text": ALL, "new_text": ALL + "x"}]})
    diff = f"--- a/{ALL}\n+++ b/{ALL}\n@@ -1,2 +1,2 @@ {ALL}\n {ALL}\n-{ALL}\n+{ALL}x\n"
    calls = [
        ToolCall("c1", ALL, arguments),
        ToolCall("c2", "edit_files", edits),
        ToolCall("c3", "ask_user", json.dumps({"question": ALL, "options": [ALL]})),
        ToolCall("c4", "execute", f'{{"command": "{ALL}'),
    ]
    results = [
        ToolResult("c1", ALL, is_error=True),
        ToolResult("c2", diff.replace("\r", "")),
        ToolResult("c3", ALL),
    ]
    markdown = f"{ALL}\n\n`{ALL}`\n\n```{ALL}\n{ALL}\n```\n\n| {ALL} |\n|---|\n| {ALL} |\n"
    stream.tell(Connected())
    stream.tell(
        MessageEvent(
            Message(1, "user", [Text(f"{ALL}\n{ALL}"), File("f", ALL, "text/plain", 1)], 1, T0)
        ),
        MessageEvent(answer(2, Reasoning(f"thought {ALL}", 10), *calls, model=ALL)),
        MessageEvent(Message(3, "tool", [*results], revision=3, created_at=T0)),
        MessageEvent(answer(4, markdown, Source("https://x.example/\x1b[2J", ALL), model=ALL)),
        MessageEvent(answer(5, Boundary("compacted", ALL), model=ALL)),
        MessageEvent(answer(6, "[x](https://x.example/%1b\x1b]0;y\x07) " + "w" * 50_000)),
        MessageEvent(user(7, MARKER)),
        status("running", ALL, model=ALL, detail=ALL),
        QueueUpdate([queued(1, ALL), queued(2, ALL)], held=False),
        RetryEvent(retry),
        CaughtUp(8),
        part(ALL, 0, 0, "9.1", "reasoning"),
        part(arguments[:-9], 0, 1, "9.1", "tool_call", name=ALL, call_id="c9"),
        part(ALL, 0, 2, "9.1", "tool_output", name=ALL, call_id="c4"),
        part(markdown, 0, 3, "9.1"),
        ErrorEvent(error),
    )
    return daemon


class Evil(PalaverApp):
    """A client that exits when everything was shown in every part of the screen."""

    daemon: ReplayClient

    def _act(self, name: str) -> Callable[[], object]:
        return partial(FUNCTIONS[name], self.context)

    async def show_everything(self) -> None:
        """Show the hostile texts in every part and dialog, one after the other."""
        from palaver_tui.widgets.transcript.widget import Transcript

        while not self.session.view.caught_up or not self.session.models:
            await asyncio.sleep(0.02)
        text = self.main.query_one(Transcript)
        steps: list[Callable[[], object]] = [
            lambda: text.viewport.set_folds(text.viewport.folds.all(True)),
            text.viewport.to_start,
            lambda: self.context.notices.say(ALL, "error"),
            self._act("queue.focus"),
            self._act("view.find"),
            lambda: text.search.begin(ALL),
            self._paste,
            partial(end_search, self.context),
            self._act("model.choose"),
            self.pop_screen,
            self._act("chat.rename"),
            self._paste,
            self.pop_screen,
            self._act("app.palette"),
            self.pop_screen,
            self._composer.focus,
            self._paste,
            self._composer.clear,
            lambda: begin_edit(self.context, self.session.view.queue[0]),
            self.context.editor.end,
            self._empty_queue,
            self._act("composer.recall"),  # the last message, and the one before it
            self._act("composer.recall"),
            lambda: self.session.open("b"),
            lambda: self.session.open("a"),
            lambda: copy_text(self.context, ALL, "the evil"),
        ]
        for step in steps:
            step()
            await self._painted()
            while (
                self.main is self.screen and text.scroll_offset.y < text.viewport.column.height - 60
            ):
                text.viewport.move(text.size.height)
                await self._painted()
                if text.viewport.following:
                    break
        self.exit(0)

    @property
    def _composer(self) -> Composer:
        return self.main.query_one(Composer)

    def _paste(self) -> None:
        self.post_message(events.Paste(ALL))

    def _empty_queue(self) -> None:
        self.daemon.stream_of("a").tell(QueueUpdate([], held=False))

    async def _painted(self) -> None:
        self.paint()
        for _ in range(3):
            await asyncio.sleep(0.02)


async def main(folder: Path) -> None:
    async def connect() -> Endpoint:
        return ENDPOINT

    daemon = evil_daemon()
    app = Evil(
        connect,
        data_dir=folder,
        chat_id="a",
        clock=SystemClock(),
        random=Random(1),
        client=cast("Any", daemon),
        motion=False,
    )
    app.daemon = daemon
    app.call_later(lambda: app.run_worker(app.show_everything()))
    await app.run_async()
    sys.exit(app.return_code)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

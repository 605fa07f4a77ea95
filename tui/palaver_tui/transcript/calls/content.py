"""The data of a tool call, from which its body is drawn."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from palaver.wire.messages import ToolResult
from palaver_tui.text.diff import Hunk, hunk_between, hunks_of
from palaver_tui.transcript.calls.cache import CallCache, edits_of
from palaver_tui.transcript.calls.output import Output
from palaver_tui.transcript.calls.picture_box import PictureBox


class CallContent(msgspec.Struct, frozen=True, dict=True):
    """The data of a call. `text` is its arguments as JSON, as received; `values` parsed."""

    name: str
    text: str
    values: dict[str, Any]
    output: Output
    result: ToolResult | None
    state: str
    picture: PictureBox | None = None
    kept: CallCache = msgspec.field(default_factory=CallCache)

    @property
    def named_for_edits(self) -> bool:
        """Whether the tool's name says that it changes files."""
        return self.name.startswith(("edit", "apply", "patch", "write"))

    @cached_property
    def hunks(self) -> list[Hunk]:
        """The hunks of the result's diff, else of the edits in the arguments."""
        if self.result is not None and "@@ -" in self.result.text:
            return hunks_of(self.result.text)
        if self.result is not None and not self.named_for_edits:
            return []
        return [hunk_between(*edit) for edit in edits_of(self.values)]

    @property
    def grows(self) -> bool:
        """Whether its arguments are still being written."""
        return self.state == "writing"

"""The line below an answer that did not end normally."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from palaver.wire.messages import Finish, Message, Text
from palaver_tui.transcript.blocks import ending

ORDINARY = {"stop", "tool_calls"}


@pytest.mark.parametrize("finish", get_args(Finish))
def test_every_end_but_an_ordinary_one_is_told(finish: Finish) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC)
    drawn = ending(Message(1, "assistant", [Text("so")], 1, now, finish=finish))
    if finish in ORDINARY:
        assert drawn is None
    else:
        assert drawn is not None
        drawn.layout(80)
        assert len(drawn.lines) == 1


def test_an_end_that_nobody_knows_does_not_pass_for_whole() -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC)
    drawn = ending(Message(1, "assistant", [Text("so")], 1, now, finish="unknown"))
    assert drawn is not None
    drawn.layout(80)
    assert "the provider did not say that this is the whole answer" in str(drawn.lines)

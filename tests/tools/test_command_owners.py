"""Which of the commands that a daemon left are still wanted when the next one starts."""

from __future__ import annotations

import pytest

from palaverd.generation.command_owners import claim
from palaverd.store.call_owners import Owner
from palaverd.store.calls import RunState
from palaverd.tools.commands.records import Record
from palaverd.tools.commands.registry import Claim

FOREGROUND = Record("c", "one", "make", at=0, boot="b")
BACKGROUND = Record("c", "one", "make", at=0, boot="b", name="p1")
STARTED = RunState.STARTED
CASES: list[tuple[Owner | None, Record, Claim]] = [
    (Owner("running", False, STARTED), FOREGROUND, "wanted"),
    (Owner("running", False, RunState.CANCELLED), FOREGROUND, "unwanted"),
    (Owner("running", False, None), FOREGROUND, "unwanted"),
    (Owner("interrupting", False, STARTED), FOREGROUND, "unwanted"),
    (Owner("waiting", False, STARTED), FOREGROUND, "unwanted"),
    (Owner("waiting", False, RunState.FINISHED), BACKGROUND, "wanted"),
    (Owner("running", False, STARTED), BACKGROUND, "wanted"),
    (Owner("waiting", True, RunState.FINISHED), BACKGROUND, "unwanted"),
    (None, BACKGROUND, "gone"),
    (None, FOREGROUND, "gone"),
]


@pytest.mark.parametrize(("owner", "record", "said"), CASES)
def test_a_chat_wants_what_it_waits_for_and_what_has_a_name(
    owner: Owner | None, record: Record, said: Claim
) -> None:
    assert claim(owner, record) == said

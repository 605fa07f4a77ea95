"""Recorded chats, run again on each change: the same states and versions after every request.

A difference is a mistake or intended. If it is intended, record again and review the diff:

    PALAVER_RECORD=1 python -m pytest tests/store/test_recorded_chats.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import Connection

from palaverd.chatstate.states import LIVE, State
from palaverd.store import history
from palaverd.store.transitions import interrupt
from support.recording import FOLDER, REQUESTS, load, replay, save

RECORDINGS = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recorded_chat_goes_as_it_went(store: Connection, path: Path) -> None:
    recorded = load(path)
    told = replay(store, recorded)
    if os.environ.get("PALAVER_RECORD"):
        save(path, told)
        return
    for number, (then, now) in enumerate(zip(recorded.steps, told.steps, strict=True)):
        assert now.became == then.became, f"step {number}, {then.do} {then.what}"


def test_the_recordings_ask_for_everything_and_pass_through_every_live_state() -> None:
    steps = [step for path in RECORDINGS for step in load(path).steps]
    assert {step.do for step in steps} == set(REQUESTS)
    passed = {State[step.became["state"]] for step in steps}
    assert passed >= LIVE


def test_a_change_of_what_a_stop_does_is_noticed(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = load(FOLDER / "queue_and_stop.json")
    monkeypatch.setattr(history, "promote_head", lambda chat: None)
    monkeypatch.setattr(interrupt, "answer_open_calls", lambda chat, text, known: None)
    monkeypatch.setattr(interrupt, "insert_messages", lambda chat, new: [])
    told = replay(store, recorded)
    assert [s.became for s in told.steps] != [s.became for s in recorded.steps]

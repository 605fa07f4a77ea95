"""ARCHITECTURE.md shows the transitions of the code."""

from __future__ import annotations

from pathlib import Path

from palaverd.chatstate.diagram import BEGIN, END, section

DOCUMENT = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"


def test_the_drawn_transitions_are_those_of_the_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    drawn = text[text.index(BEGIN) : text.index(END) + len(END)]
    assert drawn == section(), "run python -m palaverd.chatstate.diagram and paste its output"

"""What people see of a growing output: all of a little, some of much."""

from __future__ import annotations

from pathlib import Path

from palaverd.tools.commands.live_tail import FIRST, PIECE, RATE, TICK_S, LiveTail
from support.clock import ManualClock

LINE = b"a line of forty characters, more or less\n"


def grown(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_a_little_output_is_shown_as_it_comes(tmp_path: Path) -> None:
    path, clock = tmp_path / "output", ManualClock()
    tail = LiveTail(path, clock)
    assert tail.read() == ""
    grown(path, b"one\n")
    assert tail.read() == "one\n"
    assert tail.read() == ""
    # A character in two pieces is shown once it is whole.
    grown(path, "ä".encode()[:1])
    assert tail.read() == ""
    grown(path, "ä".encode()[1:])
    assert tail.read() == "ä"


def test_a_bar_has_a_line_for_each_piece(tmp_path: Path) -> None:
    path = tmp_path / "output"
    tail = LiveTail(path, ManualClock())
    grown(path, b"10%\r20%\r")
    assert tail.read() == "20%\n"
    grown(path, b"30%\r")
    assert tail.read() == "30%\n"


def test_of_much_output_the_first_and_then_pieces_are_shown(tmp_path: Path) -> None:
    path, clock = tmp_path / "output", ManualClock()
    tail = LiveTail(path, clock)
    shown, printed, seconds = [], 0, 20
    for _ in range(int(seconds / TICK_S)):
        grown(path, LINE * 2000)
        printed += len(LINE) * 2000
        clock.advance(TICK_S)
        shown.append(tail.read())
    whole = "".join(shown)
    assert whole.startswith((LINE * 1500).decode())
    assert FIRST < len(whole) < FIRST + 2 * RATE * seconds
    assert "bytes are not shown here]\na line of forty" in whole
    # What is left out and what is shown are all of it.
    left_out = sum(
        int(line.split()[0][1:].replace(",", ""))
        for line in whole.splitlines()
        if line.endswith("bytes are not shown here]")
    )
    pieces = whole.count("bytes are not shown here]")
    assert printed - path.stat().st_size == 0
    assert abs(printed - left_out - FIRST - pieces * PIECE) <= 2000 * len(LINE)


def test_a_slow_output_is_shown_whole_however_long(tmp_path: Path) -> None:
    path, clock = tmp_path / "output", ManualClock()
    tail = LiveTail(path, clock)
    shown = []
    for _ in range(4000):
        grown(path, LINE)
        clock.advance(TICK_S)
        shown.append(tail.read())
    assert "".join(shown) == (LINE * 4000).decode()

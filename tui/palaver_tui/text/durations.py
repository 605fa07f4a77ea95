"""Durations as text: `40 ms`, `0.4 s`, `12 s`, `3 min 5 s`."""

from __future__ import annotations


def seconds(milliseconds: int) -> str:
    """Return a duration in milliseconds as text."""
    if milliseconds < 100:
        return f"{milliseconds} ms"
    value = milliseconds / 1000
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"

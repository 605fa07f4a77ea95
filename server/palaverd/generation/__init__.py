"""One step of a turn: read the history, do the next thing, commit."""

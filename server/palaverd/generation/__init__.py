"""One step of a turn: look at history, do the one next thing, commit."""

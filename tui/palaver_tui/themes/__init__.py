"""Colours, for each theme and each kind of terminal."""

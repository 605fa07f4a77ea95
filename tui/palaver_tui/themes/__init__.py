"""Themes: the colours of each theme for each kind of terminal."""

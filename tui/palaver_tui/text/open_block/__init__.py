"""Incremental layout of the open block of a text. Pure."""

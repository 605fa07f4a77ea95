"""Patches: all code that uses Textual's private interface."""

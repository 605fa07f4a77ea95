"""The conversation as a widget."""

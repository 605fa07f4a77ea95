"""Transcript: the widget of the conversation."""

"""Widgets: the parts of the screen. They show views and have no state of the chat themselves."""

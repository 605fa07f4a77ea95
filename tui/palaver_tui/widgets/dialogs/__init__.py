"""Dialogs: modal screens over the main screen."""

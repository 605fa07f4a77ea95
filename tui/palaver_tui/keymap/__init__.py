"""The table of actions, and key bindings from it."""

"""The table of actions, and the keys that it binds."""

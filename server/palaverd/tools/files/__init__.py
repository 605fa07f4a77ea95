"""Tools on files in a chat's workspace."""

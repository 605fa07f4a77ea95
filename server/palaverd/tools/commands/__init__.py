"""Commands: programs that a model runs in a workspace, in the foreground and in the background."""

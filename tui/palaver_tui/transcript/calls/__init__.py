"""Tool calls as lines. Pure."""

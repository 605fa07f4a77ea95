"""From places in laid-out lines to the source text, and back. Pure."""

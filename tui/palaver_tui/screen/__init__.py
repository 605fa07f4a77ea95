"""From the session to the widgets, and how often."""

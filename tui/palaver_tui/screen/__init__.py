"""The main screen: painting the session's state into the widgets, and how often."""

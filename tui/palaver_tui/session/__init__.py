"""The client's session with a daemon: requests, outbox, pages. It does not use the screen."""

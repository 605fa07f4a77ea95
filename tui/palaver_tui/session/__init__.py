"""What the client does with the daemon: requests, outbox, pages. Knows no screen."""

"""What the system around the client offers: clipboard, browser, viewer, signals."""

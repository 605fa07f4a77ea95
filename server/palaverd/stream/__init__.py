"""Live output as logs, subscribers as cursors, and the loop that keeps a client true."""

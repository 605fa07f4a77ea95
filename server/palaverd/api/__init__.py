"""The HTTP and WebSocket API, version 1."""

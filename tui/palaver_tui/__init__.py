"""The terminal client: shows what the daemon knows, and gets out of the way."""

"""A client's progress in a chat's stream, and deduplication of its events. Pure."""

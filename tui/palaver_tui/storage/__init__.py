"""The client's files: drafts, unsent messages, reports of its own errors."""

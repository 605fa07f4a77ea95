"""What the client keeps on disk: drafts, unsent messages, reports of its own errors."""

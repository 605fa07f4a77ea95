"""Who runs a chat: acquisition, leases, and one runner per chat."""

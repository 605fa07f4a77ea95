"""Run chats: acquisition, leases, and one runner per chat."""

"""What clients ask of the door: each request is one transaction, with its idempotency key."""

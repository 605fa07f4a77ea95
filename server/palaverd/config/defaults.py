"""Default values of the configuration, with their reasons."""

HEARTBEAT_S = 5.0  # six may be lost before a lease ends
LEASE_S = 30.0  # how long a chat may wait for a worker that vanished
HEARTBEATS_PER_LEASE = 3  # at least: one late and one lost must not cost the lease
MAX_CHATS = 32  # model calls at once; both a laptop and an account's rate limit bear it
MAX_SUBAGENTS = 32  # in addition, so that parents and children never wait for each other
MAX_OUTPUT_TOKENS = 32_000  # longer than any answer that is read, cheaper than a runaway
RETENTION_DAYS = 30  # messages that an edit dropped a month ago are no longer needed
MAX_STEPS = 1_200  # model calls after one user message; a longer turn is a loop

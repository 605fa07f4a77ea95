"""The numbers that hold where the configuration says nothing, with their reasons."""

HEARTBEAT_S = 5.0  # six may be lost before a lease ends
LEASE_S = 30.0  # how long a chat may wait for a worker that vanished
HEARTBEATS_PER_LEASE = 3  # at least: one late and one lost must not cost a chat
MAX_CHATS = 32  # model calls at once that a laptop and an account's rate limit both bear
MAX_SUBAGENTS = 32  # beside them, so that parents and children never wait for each other's places
MAX_OUTPUT_TOKENS = 32_000  # more than any answer a person reads, less than a runaway costs
MAX_STEPS = 1_200  # model calls after one user message; a turn beyond it runs in circles

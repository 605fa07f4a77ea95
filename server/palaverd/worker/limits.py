"""Intervals and limits of the worker that are not configurable, with their reasons."""

# A worker that cannot write stops this share of a lease before it ends, 5 s of 30. Its tasks need
# `STOP_TASK_S` at most.
LEASE_MARGIN = 1 / 6
ACQUIRE_INTERVAL_S = 1.0  # polling for chats that no hint announced
SYNC_INTERVAL_S = 5.0  # one query over all held chats, against lost hints
RETRY_FIRST_S = 0.25  # after an unexpected error, such as an unavailable database
RETRY_LAST_S = 10.0
SHUTDOWN_S = 6.0  # of the 10 s in which a daemon must end; the rest is for closing connections
STOP_TASK_S = 2.0  # for a cancelled task to end; a late one is harmless: its writes are fenced

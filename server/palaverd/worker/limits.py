"""Every interval and cap of the worker that is not configured, with its reason."""

# The share of a lease that a worker which cannot write gives up: it stops this much before the
# lease ends, 5 s of 30. Its tasks need `STOP_TASK_S` at most.
LEASE_MARGIN = 1 / 6
ACQUIRE_INTERVAL_S = 1.0  # the timer that finds what no hint announced
SYNC_INTERVAL_S = 5.0  # one query over all held chats, against lost hints
RETRY_FIRST_S = 0.25  # after an unexpected error, say a database that is away
RETRY_LAST_S = 10.0
SHUTDOWN_S = 6.0  # of the 10 s in which a daemon must be gone; the rest is for goodbyes
STOP_TASK_S = 2.0  # for a cancelled task to end; a stale one can be slow, but does no harm

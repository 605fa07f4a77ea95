"""A worker without leases, for tests that advance the clock by minutes."""

from __future__ import annotations

from palaverd.config.types import WorkerConfig

LONG_LEASES = WorkerConfig(max_chats=0, lease_seconds=1e6, heartbeat_seconds=1e5)

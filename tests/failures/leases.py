"""A worker for tests that let minutes pass in one step: no lease ends meanwhile."""

from __future__ import annotations

from palaverd.config.types import WorkerConfig

LONG_LEASES = WorkerConfig(max_chats=0, lease_seconds=1e6, heartbeat_seconds=1e5)

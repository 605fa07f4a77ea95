"""`palaverd` with safeguards switched off: `python -m support.ablated NAME … -- ARGUMENTS`.

Tests run it to check that they fail without the safeguards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def fence() -> None:
    """Accept a worker's writes whatever the chat's state."""
    from palaverd.store import door

    door.check_fence = lambda row, fence: None


def lease_timer() -> None:
    """Let a worker that cannot write trust its leases for ever."""
    from palaverd.worker.heartbeat import Heartbeat

    Heartbeat._lost = lambda self: None  # type: ignore[method-assign]


def heartbeat() -> None:
    """Write no heartbeats."""
    from palaverd.worker import heartbeat as module

    vars(module)["heartbeat"] = lambda connection, runner_ids, now: None


def idempotency() -> None:
    """Apply a repeated request again."""
    from palaverd.usecases import history, keyed_requests, messages

    for module in (keyed_requests, history, messages):
        vars(module)["find_made"] = lambda *_: None
        vars(module)["store_made"] = lambda *_: None


def dead_leases() -> None:
    """Wait for the leases of a daemon that is known to be dead."""
    from palaverd import daemon

    vars(daemon)["void_leases"] = lambda connection, now: []


def quick_import() -> None:
    """Take a minute to import an SDK, and import none."""
    import time

    from palaverd.providers.sdk import SdkProvider

    real = SdkProvider.__init__

    def slow(self: Any, *args: Any, **kwargs: Any) -> None:
        real(self, *args, **kwargs)
        self._client._make = lambda: time.sleep(60)

    SdkProvider.__init__ = slow  # type: ignore[method-assign]


SAFEGUARDS: dict[str, Callable[[], Any]] = {
    each.__name__: each
    for each in (fence, lease_timer, heartbeat, idempotency, dead_leases, quick_import)
}


if __name__ == "__main__":
    end = sys.argv.index("--")
    for name in sys.argv[1:end]:
        SAFEGUARDS[name]()
    sys.argv[1 : end + 1] = []
    from palaverd.cli import main

    main()

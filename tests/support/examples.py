"""The number of random examples of a test: its own, times PALAVER_EXAMPLES."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("PALAVER_EXAMPLES", "1"))
USUAL = 200  # if a test sets none


def examples(count: int) -> settings:
    """Set a test's number of examples to `count` times `PALAVER_EXAMPLES`."""
    return settings(
        max_examples=count * TIMES,
        # No limit depends on the speed or the load of the machine.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )


settings.register_profile("palaver", examples(USUAL))
settings.load_profile("palaver")

"""How many random examples a test tries: its own number in the everyday run, more in the long one.

PALAVER_EXAMPLES says how many times as many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("PALAVER_EXAMPLES", "1"))
USUAL = 200  # for a test that says nothing


def examples(count: int) -> settings:
    """Let a test try so many examples, times `PALAVER_EXAMPLES`."""
    return settings(
        max_examples=count * TIMES,
        # Nothing depends on how fast the machine is, or how busy.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )


settings.register_profile("palaver", examples(USUAL))
settings.load_profile("palaver")

"""The number of random examples of a test: its own, times PALAVER_EXAMPLES."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

TIMES = int(os.environ.get("PALAVER_EXAMPLES", "1"))
USUAL = 200  # if a test sets none


def examples(count: int, *, shrinks: bool = True) -> settings:
    """Set a test's number of examples to `count` times `PALAVER_EXAMPLES`.

    `shrinks`: look for a smaller example of a failure, which may take five minutes. Without, the
    first one is shown: of tests whose examples are seeds, as a smaller seed is no smaller case.
    """
    return settings(
        phases=[phase for phase in Phase if shrinks or phase not in {Phase.shrink, Phase.explain}],
        max_examples=count * TIMES,
        # No limit depends on the speed or the load of the machine.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )


settings.register_profile("palaver", examples(USUAL))
settings.load_profile("palaver")

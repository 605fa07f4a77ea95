"""Named runs of trouble: which fault each prompt meets, one after the other."""

from __future__ import annotations

import msgspec

from palaverd.simulator.faults import FAULTS


class Scenario(msgspec.Struct, frozen=True):
    """`directives` take turns, one per prompt; an empty one is an answer without trouble.

    A message that brings its own directive keeps it.
    """

    does: str
    directives: tuple[str, ...]


SCENARIOS: dict[str, Scenario] = {
    "rate-limited": Scenario(
        "each answer comes after a rate limit of some seconds", ("[[429 retry-after=5]]",)
    ),
    "overloaded-then-fine": Scenario("each answer needs three tries", ("[[529 times=2]]",)),
    "dies-mid-sentence": Scenario("each answer breaks off once", ("[[cut after=25]]",)),
    "bad-key": Scenario("no key is good enough", ("[[401]]",)),
    "too-long": Scenario("every conversation is too long", ("[[context]]",)),
    "silent": Scenario("answers stop in the middle", ("[[silence after=20 times=1]]",)),
    "flaky-network": Scenario(
        "resets, refusals and broken answers, in turn",
        ("[[reset]]", "", "[[refuse times=2]]", "[[cut after=30]]", "", "[[502]]"),
    ),
    "everything": Scenario(
        "every fault there is, one per prompt", tuple(f"[[{name}]]" for name in FAULTS)
    ),
}

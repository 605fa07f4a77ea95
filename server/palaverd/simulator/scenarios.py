"""Scenarios: which fault each prompt meets, built in or from a TOML file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from palaverd.simulator.faults import FAULTS
from palaverd.simulator.script import DirectiveError, parse


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sequence of directives, one per prompt, in turn; an empty one is no fault.

    A message with a directive of its own uses that. `dialect` is the server to imitate.
    """

    does: str
    directives: tuple[str, ...] = ()
    dialect: str | None = None


SCENARIOS: dict[str, Scenario] = {
    "rate-limited": Scenario(
        "each answer comes after a rate limit of some seconds", ("[[429 retry-after=5]]",)
    ),
    "overloaded-then-fine": Scenario("each answer needs three tries", ("[[529 times=2]]",)),
    "dies-mid-sentence": Scenario("each answer breaks off once", ("[[close after=25]]",)),
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


class ScenarioError(ValueError):
    """There is no such scenario, or its file is invalid; the message says why."""


def scenario(name: str) -> Scenario:
    """Return a scenario by name, or from a file whose name ends in `.toml`.

    A file has the keys `does`, a sentence, `directives`, a list of lines as in messages, and
    `dialect`, a server to imitate; one of the last two may be omitted.

    Raises:
        ScenarioError: there is none, or the file is invalid.
    """
    if not name.endswith(".toml"):
        if name not in SCENARIOS:
            known = ", ".join(SCENARIOS)
            raise ScenarioError(f"There is no scenario {name}. There are {known}, and files.toml.")
        return SCENARIOS[name]
    try:
        found = msgspec.toml.decode(Path(name).read_bytes(), type=Scenario)
        for line in found.directives:
            parse(line)
        if found.dialect is not None:
            parse(f"[[dialect={found.dialect}]]")
    except OSError as error:
        raise ScenarioError(f"{name}: cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, DirectiveError) as error:
        raise ScenarioError(f"{name}: {error}.") from None
    if found.directives:
        return found
    if found.dialect is None:
        raise ScenarioError(f"{name}: it has neither directives nor a dialect.")
    return msgspec.structs.replace(found, directives=("",))

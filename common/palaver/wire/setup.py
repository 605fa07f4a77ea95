"""Where the models come from: the configuration, and what it lacks."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Named(msgspec.Struct, frozen=True, omit_defaults=True):
    """A variable of the daemon's environment that decides how providers are reached.

    `value` has no password in it; `problem` is a sentence about what it names.
    """

    variable: str
    value: str
    problem: str | None = None


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A provider as the daemon asks it.

    `address` has no password in it; `startup_seconds` is how long its first word may take.
    """

    name: str
    kind: str
    address: str
    startup_seconds: float


class Setup(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the configuration comes from, and what keeps it from being what the file says.

    `config` is the path of the file on the daemon's machine, `found` whether it was there when it
    was read, at `read_at`. `variables` are those of the environment that would have brought a key
    and are empty for the daemon; with `takes_variables` it takes them from a client (`Lent`).
    `problem` is a sentence about a file that cannot be used: what was in force before still is.
    `restart` are keys that changed and hold from the next start on. `network` are the proxies and
    certificates in force, `providers` those that can be asked.
    """

    config: str
    found: bool = False
    variables: list[str] = []
    problem: str | None = None
    restart: list[str] = []
    read_at: datetime | None = None
    takes_variables: bool = False
    network: list[Named] = []
    providers: list[Asked] = []


class Lent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables with keys that a client has and the daemon lacks. Kept in memory only."""

    variables: dict[str, str]

    def __repr__(self) -> str:
        """Name the variables, and no value."""
        return f"Lent({', '.join(self.variables)})"


class Reloaded(msgspec.Struct, frozen=True):
    """What reading the configuration anew did: keys that hold now, and keys that need a restart."""

    changed: list[str]
    restart: list[str]

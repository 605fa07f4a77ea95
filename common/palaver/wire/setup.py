"""The daemon's configuration as clients see it: its source, and what is missing."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Named(msgspec.Struct, frozen=True, omit_defaults=True):
    """A variable of the daemon's environment that affects how providers are reached.

    `value` has no password; `problem` is a sentence about what is wrong with it.
    """

    variable: str
    value: str
    problem: str | None = None


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A provider as it is configured.

    `address` has no password; `startup_seconds` is the timeout of its first token.
    """

    name: str
    kind: str
    address: str
    startup_seconds: float


class Setup(msgspec.Struct, frozen=True, omit_defaults=True):
    """The source of the configuration, and its problems.

    `config` is the path of the file on the daemon's machine, `found` whether it existed when it was
    read, at `read_at`. `variables` are unset variables of the environment that would provide a key;
    with `takes_variables` the daemon accepts them from a client (`Lent`). `problem` is a sentence
    about a file that cannot be used: the previous configuration stays in force. `restart` are
    changed keys that need a restart. `network` are the proxies and certificates in force,
    `providers` the configured providers.
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
    """Variables with API keys that a client has and the daemon lacks. Kept in memory only."""

    variables: dict[str, str]

    def __repr__(self) -> str:
        """Return the names of the variables, without values."""
        return f"Lent({', '.join(self.variables)})"


class Reloaded(msgspec.Struct, frozen=True):
    """The result of a reload: changed keys that are in force, and keys that need a restart."""

    changed: list[str]
    restart: list[str]

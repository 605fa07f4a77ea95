"""Where the models come from: the configuration, and what it lacks."""

from __future__ import annotations

import msgspec


class Setup(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the configuration comes from, and what keeps it from being what the file says.

    `config` is the path of the file on the daemon's machine, `found` whether it was there when it
    was read. `variables` are those of the environment that would have brought a key and were
    empty when the daemon started. `problem` is a sentence about a file that cannot be used: what
    was in force before still is. `restart` are keys that changed and hold from the next start on.
    """

    config: str
    found: bool = False
    variables: list[str] = []
    problem: str | None = None
    restart: list[str] = []


class Reloaded(msgspec.Struct, frozen=True):
    """What reading the configuration anew did: keys that hold now, and keys that need a restart."""

    changed: list[str]
    restart: list[str]

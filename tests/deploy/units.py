"""Parse the units of docs/deploy as systemd does."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"


@dataclass(frozen=True)
class Unit:
    """A unit's [Service], each key with all of its values."""

    service: dict[str, list[str]]

    def only(self, key: str) -> str:
        """Return the value of a key that occurs once."""
        (value,) = self.service[key]
        return value

    def command(self, replaced: Mapping[str, object]) -> list[str]:
        """Return the words of ExecStart, with paths of this machine for those of the unit."""
        line = self.only("ExecStart")
        for theirs, ours in replaced.items():
            assert theirs in line, theirs
            line = line.replace(theirs, str(ours))
        return shlex.split(line)


def unit(name: str) -> Unit:
    """Read one of docs/deploy."""
    section, service = "", dict[str, list[str]]()
    for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            service.setdefault(key, []).append(value)
    return Unit(service)

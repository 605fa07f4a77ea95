"""Parse docs/remote.md into its blocks of code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from deploy.units import ROOT

PATH = ROOT / "docs" / "remote.md"
MARK = re.compile(r"\*Needs (.*):\*$")
# What a test on this machine cannot have: the only valid reasons for leaving a block out.
REASONS = ("systemd", "a base image", "a public name, and the proxies as services")

Machine = Literal["box", "laptop"]


@dataclass(frozen=True)
class Block:
    """A block of code: its section, the words before it, and what it needs, if it names that."""

    section: str
    language: str
    before: str
    needs: str | None
    text: str

    def commands(self) -> list[tuple[Machine, str]]:
        """Return each line with the machine of its prompt, without its comment."""
        found: list[tuple[Machine, str]] = []
        for line in self.text.splitlines():
            prompt, _, command = line.partition("$ ")
            assert prompt in {"", "box"}, line
            found.append(("box" if prompt else "laptop", re.sub(r"\s+# .*", "", command)))
        return found


def blocks() -> list[Block]:
    """Read the guide. A block's needs apply to the next ones with no text in between."""
    found: list[Block] = []
    section, needs, before = "", None, ""
    pieces = re.split(r"^```(\w+)\n(.*?)^```\n", PATH.read_text("utf-8"), flags=re.M | re.S)
    for prose, language, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=False):
        for heading in re.findall(r"^## (.*)$", prose, re.MULTILINE):
            section = heading
        if prose.strip():
            before = prose.strip().rpartition("\n\n")[2]
            mark = MARK.search(before)
            needs = mark[1] if mark else None
        found.append(Block(section, language, before, needs, text))
    return found

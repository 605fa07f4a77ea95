"""The steps of docs/deploy/Containerfile, run in a directory of this machine.

A virtual environment stands for the base image, and a folder for the image's root. Not tested: that
the base image has what the steps use.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from deploy.units import DEPLOY, ROOT

# The image's own folders; others, such as /usr/bin, are this machine's.
OWN = re.compile(r"(?<![\w.])(/src|/opt/palaver|/var/lib/palaver|/etc/palaver)\b")
USER = "10001"


def steps() -> list[tuple[str, str]]:
    """Return each instruction with its arguments."""
    found = []
    for line in (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            assert not line.endswith("\\"), "a line that goes on is not read here"
            instruction, _, arguments = line.partition(" ")
            found.append((instruction, arguments))
    return found


@dataclass
class Image:
    """An image that is built in `folder`."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    _stages: int = 0

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def here(self, text: str) -> str:
        """Return text with paths below the image's root, and its user replaced by this one."""
        text = OWN.sub(lambda found: f"{self.root}{found[1]}", text)
        return text.replace(f"-g {USER}", f"-g {os.getgid()}").replace(USER, str(os.getuid()))

    def build(self) -> None:
        """Run every instruction. Fails for an unknown one."""
        for instruction, arguments in steps():
            getattr(self, f"do_{instruction.lower()}")(arguments)

    def environment(self) -> dict[str, str]:
        """Return the environment of a process in the image, with what a test's process needs."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {
            "PATH": path,
            "TESTS_OF_PALAVER": os.environ["TESTS_OF_PALAVER"],
            **{name: self.here(value) for name, value in self.variables.items()},
        }

    def do_from(self, arguments: str) -> None:
        """Start a stage: of the one before, only what is copied from it remains."""
        assert arguments.startswith("docker.io/library/python:3.")
        self._stages += 1
        if self.root.exists():
            self.root.rename(self.folder / "build")
        for name in ("opt", "var/lib", "etc"):
            (self.root / name).mkdir(parents=True)

    def do_copy(self, arguments: str) -> None:
        """Copy from the checkout, or from the stage before."""
        *sources, target = shlex.split(arguments)
        there = Path(self.here(target))
        if sources[0] == "--from=build":
            # To the same path: the programs of a virtual environment contain it.
            assert sources[1:] == [target]
            (self.folder / "build" / target.lstrip("/")).rename(there)
            return
        for source in sources:
            if (ROOT / source).is_dir():
                skipped = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, there, ignore=skipped)
            else:
                there.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, there)

    def do_run(self, arguments: str) -> None:
        """Run a line. What it would download is there: the libraries of this environment."""
        done = subprocess.run(
            ["sh", "-c", self.here(arguments)],
            # pip's variable is inverted: 0 means without isolation.
            env=self.environment() | {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        if "-m venv" in arguments:
            (there,) = self.root.glob("opt/palaver/lib/python*/site-packages")
            (there / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def do_env(self, arguments: str) -> None:
        """Set variables."""
        for word in shlex.split(arguments):
            name, _, value = word.partition("=")
            self.variables[name] = value

    def do_user(self, arguments: str) -> None:
        """Set the user of the program."""
        self.user = arguments

    def do_volume(self, arguments: str) -> None:
        """Check that the directory exists, whose owner a new volume takes over."""
        assert Path(self.here(arguments)).is_dir()

    def do_expose(self, arguments: str) -> None:
        """Check that it is the port of the following command."""
        assert arguments in dict(steps())["CMD"]

    def do_healthcheck(self, arguments: str) -> None:
        """Keep its command."""
        self.health = json.loads(arguments[arguments.index("[") :])

    def do_entrypoint(self, arguments: str) -> None:
        """Keep the entrypoint."""
        self.entrypoint = json.loads(arguments)

    def do_cmd(self, arguments: str) -> None:
        """Keep the command."""
        self.command = json.loads(arguments)

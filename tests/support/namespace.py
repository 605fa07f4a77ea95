"""A machine of its own, as far as the network goes: a network namespace with its own address.

It has no name: it lasts as long as the process that holds it and what runs in it, so that a test
that is killed leaves nothing behind. Needs root (`require("netns")`).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

BOUND_S: Final = 10.0


class Namespace:
    """`address` is the machine's own, `outside` that of whoever looks at it from this one."""

    def __init__(self, holder: int) -> None:
        self._holder = holder
        # Of the addresses for tests of networks (RFC 2544): nobody else has them.
        net = f"198.{18 + holder // 16384 % 2}.{holder // 64 % 256}"
        first = holder % 64 * 4
        self.outside, self.address = f"{net}.{first + 1}", f"{net}.{first + 2}"

    def inside(self, *command: str) -> list[str]:
        """Return the command that runs `command` in it."""
        return ["nsenter", "--target", str(self._holder), "--net", "--", *command]

    def start(self, *command: str, **how: Any) -> subprocess.Popen[str]:
        """Start a program in it."""
        return subprocess.Popen(self.inside(*command), text=True, **how)

    def connect(self) -> None:
        """Lay a line from here to it."""
        ours, its = f"pvo{self._holder}", f"pvi{self._holder}"
        _run("ip", "link", "add", ours, "type", "veth", "peer", its, "netns", str(self._holder))
        _run("ip", "address", "add", f"{self.outside}/30", "dev", ours)
        _run("ip", "link", "set", ours, "up")
        _run(*self.inside("ip", "address", "add", f"{self.address}/30", "dev", its))
        for device in (its, "lo"):
            _run(*self.inside("ip", "link", "set", device, "up"))

    @contextmanager
    def slow(self, *how: str) -> Iterator[bool]:
        """Hold up what comes from it, by `how` of tc-netem(8); False where the kernel cannot."""
        device = ("dev", f"pvi{self._holder}", "root")
        try:
            _run(*self.inside("tc", "qdisc", "add", *device, "netem", *how))
        except subprocess.CalledProcessError as error:
            if "unknown" not in error.stderr:
                raise
            yield False
            return
        try:
            yield True
        finally:
            _run(*self.inside("tc", "qdisc", "del", *device))


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Have a machine for the length of a block."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        own = Path("/proc/self/ns/net").readlink()
        give_up = time.monotonic() + BOUND_S
        while Path(f"/proc/{holder.pid}/ns/net").readlink() == own:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        made = Namespace(holder.pid)
        made.connect()
        yield made
    finally:
        holder.kill()
        holder.wait()


def no_namespace() -> str | None:
    """Return why none can be made here, None where it can."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    try:
        with namespace():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or error
        return f"this system makes no network namespaces: {said}"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def until(holds: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for something that a process does."""
    give_up = time.monotonic() + 6 * BOUND_S
    while not holds():
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < give_up
        time.sleep(0.02)

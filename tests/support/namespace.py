"""A network namespace with its own address: another machine, as far as the network is concerned.

It has no name and ends with its processes, so that a killed test leaves nothing behind. Needs root
(`require("netns")`).
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
    """`address` is its own address, `outside` this machine's as seen from it."""

    def __init__(self, holder: int) -> None:
        self._holder = holder
        # Addresses for benchmarks of networks (RFC 2544), which no real machine has.
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
        """Connect it to this machine."""
        ours, its = f"pvo{self._holder}", f"pvi{self._holder}"
        _run("ip", "link", "add", ours, "type", "veth", "peer", its, "netns", str(self._holder))
        _run("ip", "address", "add", f"{self.outside}/30", "dev", ours)
        _run("ip", "link", "set", ours, "up")
        _run(*self.inside("ip", "address", "add", f"{self.address}/30", "dev", its))
        for device in (its, "lo"):
            _run(*self.inside("ip", "link", "set", device, "up"))

    @contextmanager
    def slow(self, *how: str) -> Iterator[bool]:
        """Delay its packets, by `how` of tc-netem(8); return False if the kernel cannot."""
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
    """Create a namespace within a `with` block."""
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
    """Return why a namespace cannot be created, None if it can."""
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
    """Wait for a condition that a process brings about."""
    give_up = time.monotonic() + 6 * BOUND_S
    while not holds():
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < give_up
        time.sleep(0.02)

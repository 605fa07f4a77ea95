"""A real ssh server for a test, run by the current user, with keys of its own."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SSHD = Path("/usr/sbin/sshd")  # requires its full path
SEPARATION = Path("/run/sshd")  # the privilege separation directory of root's sshd
BOUND_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Box:
    """This machine as reached by ssh: `home` is the home directory of the logged-in user.

    It may have a network of its own, with an `address` there: see `support.namespace`.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.folder = folder
        self.address = address
        self.port = free_port()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.home = folder / "home"
        self.url = "ssh://box"
        self._sshd: asyncio.subprocess.Process | None = None
        for made in (self.home, folder / "bin"):
            made.mkdir()
        for key in ("host", "me"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True
            )
        shutil.copy(folder / "me.pub", folder / "authorized")
        ssh = folder / "bin" / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
        ssh.chmod(0o755)
        self.configure()

    @property
    def environment(self) -> dict[str, str]:
        """Return a client's environment: an ssh that knows the box, and nothing of this user's."""
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PALAVER_DATA_DIR": str(self.folder / "laptop"),
            "XDG_CONFIG_HOME": str(self.folder / "laptop-config"),
        }

    def configure(self, *, known: str = "accept-new") -> None:
        """Write the client's ssh configuration; `known`: its policy for an unknown host key."""
        (self.folder / "ssh_config").write_text(
            f"Host box\n  HostName {self.address}\n  Port {self.port}\n  User {self.user}\n"
            f"  IdentityFile {self.folder}/me\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {self.folder}/known\n  GlobalKnownHostsFile /dev/null\n"
            f"  StrictHostKeyChecking {known}\n"
        )

    def install(self, place: str = ".local/bin") -> Path:
        """Install palaverd at a place on its path; return the file."""
        program = self.home / place / "palaverd"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m palaverd "$@"\n')
        program.chmod(0o755)
        return program

    def command(self) -> list[str]:
        """Write its sshd's configuration; return the command that runs it."""
        if os.getuid() == 0:
            SEPARATION.mkdir(mode=0o755, exist_ok=True)
        environment = " ".join(
            f"{name}={value}"
            for name, value in {
                "HOME": self.home,
                "PATH": "/usr/bin:/bin",
                "TESTS_OF_PALAVER": os.environ["TESTS_OF_PALAVER"],
                "PALAVER_CONFIG": self.folder / "config.toml",
                "PALAVER_DATA_DIR": self.folder / "data",
            }.items()
        )
        (self.folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress {self.address}\nHostKey {self.folder}/host\n"
            f"AuthorizedKeysFile {self.folder}/authorized\nPidFile none\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"PermitRootLogin prohibit-password\nSetEnv {environment}\n"
        )
        return [str(SSHD), "-D", "-e", "-f", str(self.folder / "sshd_config")]

    async def start(self) -> None:
        self._sshd = await asyncio.create_subprocess_exec(
            *self.command(),
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(BOUND_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert self._sshd.returncode is None, "sshd ended"
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def stop(self) -> None:
        if self._sshd is not None and self._sshd.returncode is None:
            self._sshd.terminate()
            await self._sshd.wait()

    def bridges(self) -> list[int]:
        """Return the processes of `palaverd dial-stdio` there."""
        mine = f"PALAVER_DATA_DIR={self.folder / 'data'}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                if b"dial-stdio" in command and mine in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found


@asynccontextmanager
async def box(folder: Path) -> AsyncIterator[Box]:
    """Run an ssh server within a `with` block."""
    found = Box(folder)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()

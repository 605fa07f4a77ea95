"""Install a server into its own folder, once for each version."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import click

from servers.catalogue import Server

# Seconds; the longest is building llama.cpp on two slow cores.
_PATIENCE_S = 3600.0


class NotInstalled(Exception):
    """A failed installation, with the last lines of its installer."""


def cache() -> Path:
    """Return the folder for installations: PALAVER_SERVERS, or one below the user's cache."""
    given = os.environ.get("PALAVER_SERVERS")
    return Path(given) if given else Path.home() / ".cache" / "palaver-servers"


async def installed(server: Server) -> Path:
    """Return the place of a server, installing it if it is missing.

    Raises:
        NotInstalled: the installer failed.
    """
    wanted = "\n".join((*server.pip, *server.npm))
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    folder = cache() / f"{server.name}-{digest}"
    done = folder / "installed"
    if done.exists():
        return folder
    click.echo(f"installing {server.name} into {folder}", err=True)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "install.log"
    environment = {**os.environ, **server.environment}
    if server.pip:
        await _run([sys.executable, "-m", "venv", str(folder)], log, environment)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        await _run([*pip, "--disable-pip-version-check", *server.pip], log, environment)
    if server.npm:
        npm = ["npm", "install", "--silent", "--no-fund", "--prefix", str(folder)]
        await _run([*npm, *server.npm], log, environment)
    done.touch()
    return folder


async def _run(command: list[str], log: Path, environment: dict[str, str]) -> None:
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            env=environment, preexec_fn=lambda: os.nice(10),
        )  # fmt: skip
        try:
            async with asyncio.timeout(_PATIENCE_S):
                code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if code:
        last = log.read_text(errors="replace").splitlines()[-3:]
        raise NotInstalled(f"{' '.join(command[-2:])}: code {code}: {' | '.join(last)}")

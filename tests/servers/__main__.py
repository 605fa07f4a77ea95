"""`make servers`: install, start and test each server, and write the results."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import click

from palaverd.config.types import ProviderKind
from servers.asking import daemon_for
from servers.cases import CASES, Case
from servers.catalogue import NOT_TRIED, SERVERS, Place, Server
from servers.install import NotInstalled, installed
from servers.results import Row, load, matrix_markdown, merged, save
from servers.running import NotReady, Running, free_port, running, tapped
from support import guardian


def main() -> None:
    """Test what the arguments choose, and print the matrix."""
    parser = argparse.ArgumentParser(prog="make servers ARGS=...", description=__doc__)
    parser.add_argument("servers", nargs="*", help=f"all, or some of: {', '.join(SERVERS)}")
    parser.add_argument("--protocol", action="append", help="only this one, more than once")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one")
    chosen = parser.parse_args()
    unknown = set(chosen.servers) - set(SERVERS)
    if unknown:
        parser.error(f"there is no server {', '.join(sorted(unknown))}")
    # Servers end with this process, also if it is killed.
    guardian.watch()
    failed = 0
    for name in chosen.servers or SERVERS:
        server = SERVERS[name]
        kinds = [kind for kind in server.bases if not chosen.protocol or kind in chosen.protocol]
        for kind in kinds:
            try:
                row = asyncio.run(_row(server, kind, chosen.case or list(CASES)))
            except (NotInstalled, NotReady) as error:
                # Earlier results stay, with their version.
                click.echo(f"{name} {kind} was not tried: {error}", err=True)
                failed += 1
            else:
                save(merged(load(), row, list(CASES), NOT_TRIED))
    click.echo(matrix_markdown())
    sys.exit(1 if failed else 0)


async def _row(server: Server, kind: ProviderKind, cases: list[str]) -> Row:
    cells = {}
    async with _started(server) as (front, backend):
        for name in cases:
            if name in server.lacks:
                cells[name] = f"n.a.: {server.lacks[name]}"
                continue
            async with (
                tapped(front.place.port) as tap,
                daemon_for(server, kind, tap.url) as daemon,
            ):
                try:
                    cells[name] = await CASES[name](Case(daemon.client, kind, front, backend, tap))
                except TimeoutError:
                    cells[name] = "did not end in time"
            click.echo(f"{server.name} {kind} {name}: {cells[name]}", err=True)
    return Row(server.name, server.version, kind, cells)


@asynccontextmanager
async def _started(server: Server) -> AsyncIterator[tuple[Running, Running]]:
    """Run a server and, for a gateway, the one behind it; the latter has the model."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="servers"))
        behind = None
        if server.behind is not None:
            other = SERVERS[server.behind]
            place = await _place(other, Path(folder) / other.name)
            behind = await stack.enter_async_context(running(other, place))
        url = "" if behind is None else behind.url
        place = await _place(server, Path(folder) / server.name, url)
        front = await stack.enter_async_context(running(server, place))
        yield front, behind or front


async def _place(server: Server, folder: Path, behind: str = "") -> Place:
    folder.mkdir()
    return Place(await installed(server), folder, free_port(), behind)


if __name__ == "__main__":
    main()
